import { randomInt } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { chmod, chown, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from './app.js';
import { atEnd } from './clean-up.js';
import { unpackPackages } from './debian.js';
import { makeFolder, Program } from './program.js';

/** Debian's packages of Exim with what a bare system lacks, and of a library that gives it users whom the system has not. */
const PACKAGES = [
  'exim4-daemon-light',
  'libnss-wrapper',
  'libgnutls-dane0',
  'libgnutls30',
  'libidn12',
  'libnsl2',
  'libpcre2-8-0',
  'libtirpc3',
  'libunbound8',
];

/** The user that delivers when root starts the server: Exim never delivers as root. */
const NOBODY = 65534;

interface EximProgram {
  readonly path: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** Exim from Debian's unpacked packages. A sentence when it cannot be had. */
export function findExim(): EximProgram | string {
  const root = unpackPackages(PACKAGES);
  if (root === undefined) return 'Debian’s packages of Exim cannot be had here';
  const libraries = ['usr/lib', 'lib']
    .map((each) => join(root, each))
    .filter(existsSync)
    .flatMap((folder) =>
      readdirSync(folder)
        .filter((name) => name.endsWith('-linux-gnu'))
        .map((name) => join(folder, name)),
    );
  const wrapper = libraries.map((each) => join(each, 'libnss_wrapper.so')).find((each) => existsSync(each));
  const path = join(root, 'usr/sbin/exim4');
  if (wrapper === undefined || !existsSync(path)) return 'Debian’s packages of Exim lack a part';
  const environment = { LD_LIBRARY_PATH: libraries.join(':'), LD_PRELOAD: wrapper };
  const { stderr } = spawnSync(path, ['-bV'], { env: environment, encoding: 'utf8' });
  // without its user it says so and no more: that is given to it at the start
  return /shared librar/.test(stderr) ? `Exim does not run here: ${stderr.trim()}` : { path, environment };
}

export interface Exim {
  readonly port: number;
  /** The files of a mailbox, as they were delivered. */
  mailsOf(localPart: string): Promise<string[]>;
  /** What it has logged. */
  log(): Promise<string>;
  stop(): Promise<void>;
}

interface EximSettings {
  readonly certificate: { readonly cert: string; readonly key: string };
  readonly user: string;
  readonly password: string;
  /** Mailboxes at practice.test. */
  readonly mailboxes: readonly string[];
  readonly port?: number;
  /** That of an earlier one, with its mail. */
  readonly folder?: string;
}

/**
 * A mail server for the domain practice.test until the test is over: offers a password only over STARTTLS, takes mail only
 * from whoever knows it and only for its mailboxes, and delivers to Maildir folders.
 */
export async function startExim({ path, environment }: EximProgram, settings: EximSettings): Promise<Exim> {
  const folder = settings.folder ?? (await makeFolder());
  const port = settings.port ?? randomInt(20_000, 32_000);
  const [uid, gid] = process.getuid?.() === 0 ? [NOBODY, NOBODY] : [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  const boxes = join(folder, 'boxes');
  await mkdir(join(folder, 'spool'), { recursive: true });
  await mkdir(boxes, { recursive: true });
  if (process.getuid?.() === 0) await chown(boxes, uid, gid);
  const file = async (name: string, content: string): Promise<string> => {
    await writeFile(join(folder, name), content);
    await chmod(join(folder, name), 0o600);
    return join(folder, name);
  };
  const [me, group] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  const users = await file(
    'passwd',
    `root:x:0:0::/:/bin/false\nme:x:${me}:${group}::/:/bin/false\nDebian-exim:x:${uid}:${gid}::/:/bin/false\n`,
  );
  const groups = await file('group', `root:x:0:\nme:x:${group}:\nDebian-exim:x:${gid}:\n`);
  const lines = [
    'primary_hostname = mail.practice.test',
    `spool_directory = ${folder}/spool`,
    `log_file_path = ${folder}/spool/%slog`,
    `pid_file_path = ${folder}/exim.pid`,
    `exim_path = ${path}`,
    `exim_user = ${me}`,
    `exim_group = ${group}`,
    // an ordinary user cannot become another one to deliver
    `deliver_drop_privilege = ${process.getuid?.() !== 0}`,
    'keep_environment = LD_LIBRARY_PATH : LD_PRELOAD : NSS_WRAPPER_PASSWD : NSS_WRAPPER_GROUP',
    'local_interfaces = 127.0.0.1',
    `daemon_smtp_ports = ${port}`,
    'acl_smtp_rcpt = check_recipient',
    'acl_smtp_data = accept',
    'tls_advertise_hosts = *',
    `tls_certificate = ${await file('cert.pem', settings.certificate.cert)}`,
    `tls_privatekey = ${await file('key.pem', settings.certificate.key)}`,
    'auth_advertise_hosts = ${if eq{$tls_in_cipher}{}{}{*}}',
    'begin acl',
    'check_recipient:',
    '  deny !authenticated = *',
    '    message = 530 5.7.0 authentication required',
    '  deny !domains = practice.test',
    '    message = 550 5.7.1 relay not permitted',
    '  require message = 550 5.1.1 no such mailbox',
    '    verify = recipient',
    '  accept',
    'begin routers',
    'boxes:',
    '  driver = accept',
    `  local_parts = ${settings.mailboxes.join(' : ')}`,
    '  transport = box',
    'begin transports',
    'box:',
    '  driver = appendfile',
    `  directory = ${boxes}/$local_part_data`,
    '  create_directory',
    '  maildir_format',
    `  user = ${uid}`,
    `  group = ${gid}`,
    'begin authenticators',
    'plain:',
    '  driver = plaintext',
    '  public_name = PLAIN',
    '  server_prompts = :',
    `  server_condition = \${if and{{eq{$auth2}{${settings.user}}}{eq{$auth3}{${settings.password}}}}}`,
    '  server_set_id = $auth2',
  ];
  const config = await file('exim.conf', `${lines.join('\n')}\n`);
  const exim = new Program(
    { ...environment, NSS_WRAPPER_PASSWD: users, NSS_WRAPPER_GROUP: groups },
    { command: [path, '-C', config, '-bdf', '-q1m'], isGroup: true },
  );
  // its children serve connections that are open, also without it
  const stop = async (): Promise<void> => {
    if (!exim.hasEnded) exim.signalGroup('SIGTERM');
    await exim.ended;
  };
  atEnd(stop);
  const log = (): Promise<string> => readFile(join(folder, 'spool', 'mainlog'), 'utf8').catch(() => '');
  await eventually('Exim listens', async () => {
    if (exim.hasEnded) throw new Error(`Exim ended: ${exim.output}${await log()}`);
    return (await log()).includes('listening for SMTP');
  });
  return {
    port,
    log,
    async mailsOf(localPart) {
      const box = join(boxes, localPart, 'new');
      const names = await readdir(box).catch(() => []);
      return Promise.all(names.map((name) => readFile(join(box, name), 'utf8')));
    },
    stop,
  };
}
