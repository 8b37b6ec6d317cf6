const LONGEST = 255;
/** Segments of letters, digits and signs that no browser, decoder or router reads as anything else. */
const PLAIN = /^\/$|^(\/[A-Za-z0-9_~-]+)+$/;

/** Whether a path of the dashboard is one of those allowed or lies below one. */
export function isReturnPath(path: string, allowed: readonly string[]): boolean {
  if (path.length > LONGEST || !PLAIN.test(path)) return false;
  return allowed.some((each) => path === each || (each !== '/' && path.startsWith(`${each}/`)));
}
