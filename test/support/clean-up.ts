type Lifetime = 'one test' | 'the whole file';

const steps: Record<Lifetime, (() => unknown)[]> = { 'one test': [], 'the whole file': [] };

/** Remembers how to end or remove what a test has made. */
export function atEnd(step: () => unknown, lifetime: Lifetime = 'one test'): void {
  steps[lifetime].push(step);
}

/** Ends and removes it all, the last first. Call it after each test. */
export async function cleanUp(lifetime: Lifetime = 'one test'): Promise<void> {
  for (const step of steps[lifetime].splice(0).reverse()) await step();
}
