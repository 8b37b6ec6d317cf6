import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PROJECT_ROOT } from '../../src/config/project-root.js';
import { killTree, postmasterOf } from '../../tools/processes.mjs';
import { eventually } from './app.js';
import { atEnd, type cleanUp } from './clean-up.js';
import { makePdf } from './documents.mjs';
import { bearer, formOf } from './leads.js';

/** The built program, as `npm start` runs it. `npm test` builds it first. */
export const MAIN = join(PROJECT_ROOT, 'dist', 'src', 'main.js');

type Settings = Readonly<Record<string, string>>;

interface Launch {
  /** Program and arguments; the built Forecourt unless said otherwise. */
  readonly command?: readonly [string, ...string[]];
  readonly cwd?: string;
  /** In a process group of its own, as a terminal gives each command. */
  readonly isGroup?: boolean;
  /** Until when it may run; the end of the test unless said otherwise. */
  readonly lifetime?: Parameters<typeof cleanUp>[0];
}

/** A child process of the test's own: its output and its end. */
export class Program {
  private readonly chunks: string[] = [];
  private readonly child: ChildProcess;
  /** The exit code, or the name of the signal that ended it. */
  readonly ended: Promise<number | string>;
  hasEnded = false;

  constructor(
    settings: Settings,
    { command = [process.execPath, MAIN], cwd = tmpdir(), isGroup = false, lifetime = 'one test' }: Launch = {},
  ) {
    const [program, ...args] = command;
    const PATH = process.env['PATH'] ?? '';
    this.child = spawn(program, args, {
      cwd,
      env: { PATH, ...settings },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: isGroup,
    });
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.on('data', (chunk: Buffer) => this.chunks.push(chunk.toString()));
    const closed = once(this.child, 'close');
    this.ended = once(this.child, 'exit').then(async ([code, signal]: unknown[]) => {
      // its last words may still be on the way; but what it left running may keep the pipes open
      await Promise.race([closed, sleep(1000, undefined, { ref: false })]);
      this.hasEnded = true;
      return (code ?? signal) as number | string;
    });
    atEnd(() => {
      if (!this.hasEnded) this.signal('SIGKILL');
      return this.ended;
    }, lifetime);
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Everything it wrote, to either stream. */
  get output(): string {
    return this.chunks.join('');
  }

  /** What the pattern's first group finds in the output, as soon as it does. */
  async says(pattern: RegExp, withinMs = 30_000): Promise<string> {
    return eventually(
      () => `${String(pattern)} in:\n${this.output}`,
      async () => {
        const found = pattern.exec(this.output);
        if (found === null && this.hasEnded) throw new Error(`ended without ${String(pattern)}:\n${this.output}`);
        return found?.[1] ?? found?.[0];
      },
      withinMs,
    );
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  /** To the whole process group, as Ctrl-C in a terminal does. */
  signalGroup(name: NodeJS.Signals): void {
    process.kill(-this.pid, name);
  }

  /** Asks it to end, and resolves to how it did. */
  async stop(): Promise<number | string> {
    this.signal('SIGTERM');
    return this.ended;
  }
}

/** Forecourt as a process of its own, on a free port. */
export class RunningForecourt extends Program {
  url = '';

  async request(path: string, init?: RequestInit): Promise<Response> {
    return fetch(`${this.url}${path}`, init);
  }

  submit(email: string, bytes = makePdf()): Promise<Response> {
    return this.request('/api/v1/leads', { method: 'POST', body: formOf({ email, file: { bytes } }) });
  }

  /** The admin's headers. Rejects when the password is wrong. */
  async signIn(password: string): Promise<{ Authorization: string }> {
    const body = new URLSearchParams({ username: 'admin', password });
    const response = await this.request('/api/v1/auth/login', { method: 'POST', body });
    if (response.status !== 200) throw new Error(`not signed in: ${await response.text()}`);
    return bearer(((await response.json()) as { access_token: string }).access_token);
  }
}

/** Settings that suit a test; the data folder is removed in the end. */
export async function someSettings(settings: Settings = {}): Promise<Settings & { readonly DATA_DIR: string }> {
  const DATA_DIR = settings['DATA_DIR'] ?? (await makeFolder());
  return { HOST: '127.0.0.1', PORT: '0', BCRYPT_ROUNDS: '4', RATE_LIMIT_ENABLED: 'false', ...settings, DATA_DIR };
}

/** Starts the built program and waits until it serves. Rejects with its output when it ends instead. */
export async function startProgram(settings: Settings, launch?: Launch): Promise<RunningForecourt> {
  const program = new RunningForecourt(settings, launch);
  if (settings['ROLE'] === 'worker') await program.says(/runs background jobs/);
  else program.url = `http://127.0.0.1:${await program.says(/listens on port (\d+)/)}`;
  return program;
}

/** An empty folder that every user can pass through; removed in the end, with the PostgreSQL that a test left in it. */
export async function makeFolder(...lifetime: Parameters<typeof cleanUp>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'forecourt-own-'));
  await chmod(folder, 0o755);
  atEnd(
    async () => {
      for (const dataDir of [folder, ...(await readdir(folder)).map((name) => join(folder, name))]) {
        const pid = postmasterOf(dataDir);
        if (pid !== undefined) await killTree(pid);
      }
      await rm(folder, { recursive: true, force: true });
    },
    ...lifetime,
  );
  return folder;
}
