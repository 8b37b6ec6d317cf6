import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { PROJECT_ROOT } from '../src/config/project-root.js';

/** Five processes start, and two of them once more. */
jest.setTimeout(600_000);

describe('three processes that serve and two that work, on one database and one store, behind a balancer', () => {
  it('lose nothing, answer nothing wrong and send nothing twice when one of each is killed; limits and sessions hold over all', async () => {
    const torture = spawn(process.execPath, ['tools/torture-copies.mjs', '--rounds', '1'], {
      cwd: PROJECT_ROOT,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [output, [code]] = await Promise.all([text(torture.stdout), once(torture, 'exit')]);

    expect(output.split('\n').filter((line) => line.startsWith('WRONG'))).toEqual([]);
    expect(code).toBe(0);
    const outcome = JSON.parse(output.trim().split('\n').at(-1) ?? '') as Record<string, unknown>;
    expect(outcome).toMatchObject({ rounds: 1, lost: 0 });
    expect(outcome['doubled']).toBeLessThanOrEqual(1);
    expect(outcome['acknowledged']).toBeGreaterThan(0);
  });
});
