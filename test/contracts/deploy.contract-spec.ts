import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import ts from 'typescript';
import { parseAllDocuments, parse } from 'yaml';
import { COMPOSE_VARIABLES } from '../../src/config/compose-variables.js';
import { type Config, loadConfig } from '../../src/config/config.js';
import { PROJECT_ROOT } from '../../src/config/project-root.js';
import { SECRET_SETTINGS, SETTINGS } from '../../src/config/settings.js';

const FOLDER = join(PROJECT_ROOT, 'ops', 'kubernetes');

interface Container {
  readonly name: string;
  readonly args?: readonly string[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly resources: { readonly requests: object; readonly limits: { readonly memory: string } };
  readonly securityContext: object;
  readonly volumeMounts: readonly { readonly mountPath: string }[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly [probe: `${string}Probe`]: { readonly httpGet: { readonly path: string; readonly port: string } };
}
interface Pod {
  readonly metadata: { readonly labels: Readonly<Record<string, string>> };
  readonly spec: {
    readonly automountServiceAccountToken: boolean;
    readonly securityContext: object;
    readonly terminationGracePeriodSeconds?: number;
    readonly containers: readonly Container[];
  };
}
interface Workload {
  readonly template: Pod;
  readonly selector: { readonly matchLabels: object };
}
interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec?: Readonly<Record<string, unknown>>;
}

const fileOf = (name: string): string => readFileSync(join(FOLDER, name), 'utf8');
const KUSTOMIZATION = parse(fileOf('kustomization.yaml')) as {
  resources: string[];
  configMapGenerator: { name: string; envs: string[] }[];
  secretGenerator: { name: string; envs: string[] }[];
};
const MANIFESTS = KUSTOMIZATION.resources.flatMap((name) =>
  parseAllDocuments(fileOf(name)).map((document) => document.toJS() as Manifest),
);

function find(kind: string, name: string): unknown {
  const found = MANIFESTS.find((each) => each.kind === kind && each.metadata.name === name);
  if (found === undefined) throw new Error(`there is no ${kind} ${name}`);
  return found.spec;
}

const workload = (name: string): Workload => find('Deployment', name) as Workload;
const backup = find('CronJob', 'forecourt-backup') as { readonly jobTemplate: { readonly spec: Workload } };
const PODS: readonly [string, Pod][] = [
  ['http', workload('forecourt-http').template],
  ['worker', workload('forecourt-worker').template],
  ['backup', backup.jobTemplate.spec.template],
];

const SETTINGS_TEXT = fileOf('settings.env');
/** What an operator would fill in. */
const SECRETS = {
  ...parseEnv(fileOf('secret.env.example')),
  DATABASE_URL: 'postgresql://forecourt:s3cr3t@db.example.com:5432/forecourt?sslmode=verify-full',
  SECRET_KEY: 'q8Zr1v-K3mWt_Xy7Lp0Bn5Hd2Gj9Fs4CaE6uTi',
  ADMIN_PASSWORD: 'correct horse battery',
  FILE_ENCRYPTION_KEYS: `a:${Buffer.alloc(32, 7).toString('base64')}`,
  BACKUP_KEY: Buffer.alloc(32, 9).toString('base64'),
  METRICS_TOKEN: 'a-token-of-more-than-thirty-two-bytes',
};

const configOf = (pod: Pod): Config =>
  loadConfig({
    ...parseEnv(SETTINGS_TEXT),
    ...SECRETS,
    ...Object.fromEntries((pod.spec.containers[0]?.env ?? []).map(({ name, value }) => [name, value])),
  });

describe('the manifests for Kubernetes', () => {
  it('are what its schema says: no field is unknown, missing or of another type', () => {
    const modules = MANIFESTS.map(({ apiVersion, kind }) => `kubernetes-models/${apiVersion}/${kind}`);
    const source = MANIFESTS.map(
      (manifest, index) =>
        `import type { I${manifest.kind} as T${index} } from '${String(modules[index])}';\n` +
        `export const manifest${index}: T${index} = ${JSON.stringify(manifest)};\n`,
    ).join('');

    expect(complaintsAbout(source)).toEqual([]);
    const wrong = source.replace('"readinessProbe"', '"redinessProbe"').replace('"minReplicas":3', '"minReplicas":"3"');
    expect(complaintsAbout(wrong)).toEqual([
      expect.stringMatching(/redinessProbe"' does not exist/),
      expect.stringMatching(/'string' is not assignable to type 'number'/),
    ]);
  });

  it.each(MANIFESTS.map((manifest) => [`${manifest.kind} ${manifest.metadata.name}`, manifest] as const))(
    '%s is taken by the validator of its kind',
    async (_, manifest) => {
      const { apiVersion, kind } = manifest;
      const models = (await import(`kubernetes-models/${apiVersion}/${kind}`)) as Record<
        string,
        new (data: unknown) => { validate(): void }
      >;
      const Model = models[kind];

      expect(() => {
        new Model!(manifest).validate();
      }).not.toThrow();
      expect(() => {
        new Model!({ ...manifest, metadata: 'none' }).validate();
      }).toThrow(/metadata/);
    },
  );

  it.each(PODS)('let the pod of %s do nothing that it need not', (_, { spec }) => {
    expect(spec).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
    });
    for (const container of spec.containers) {
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      expect(Object.keys(container.resources.requests).sort()).toEqual(['cpu', 'memory']);
      expect(container.resources.limits.memory).toMatch(/^\d+[MG]i$/);
      expect(container.volumeMounts.map(({ mountPath }) => mountPath)).toEqual(['/data', '/tmp']);
    }
  });

  it('ask the port that it listens on, as a start, a pulse and readiness', () => {
    const [container] = workload('forecourt-http').template.spec.containers;

    expect(container?.startupProbe?.httpGet).toEqual({ path: '/health/ready', port: 'http' });
    expect(container?.livenessProbe?.httpGet).toEqual({ path: '/health/live', port: 'http' });
    expect(container?.readinessProbe?.httpGet).toEqual({ path: '/health/ready', port: 'http' });
    const { http, metrics } = configOf(workload('forecourt-http').template);
    expect(container?.ports).toEqual([
      { name: 'http', containerPort: http.port },
      { name: 'metrics', containerPort: metrics.port },
    ]);
  });

  it('give each pod longer to end than it takes', () => {
    const { http } = configOf(workload('forecourt-http').template);
    for (const name of ['forecourt-http', 'forecourt-worker'])
      expect(workload(name).template.spec.terminationGracePeriodSeconds).toBeGreaterThan(http.drainMs / 1000 + 30);
    expect(http.drainMs).toBeGreaterThan(0);
  });

  it('select the pods that they mean', () => {
    for (const component of ['http', 'worker']) {
      const label = { 'app.kubernetes.io/component': component };
      const name = `forecourt-${component}`;
      expect(workload(name).template.metadata.labels).toEqual(label);
      expect(workload(name).selector.matchLabels).toEqual(label);
      expect(find('PodDisruptionBudget', name)).toMatchObject({ selector: { matchLabels: label } });
    }
    expect(find('Service', 'forecourt-http')).toMatchObject({ selector: { 'app.kubernetes.io/component': 'http' } });
    expect(find('HorizontalPodAutoscaler', 'forecourt-http')).toMatchObject({
      scaleTargetRef: { kind: 'Deployment', name: 'forecourt-http' },
    });
  });

  it.each(PODS)('start %s with settings that production takes, of which no secret is in the open', (role, pod) => {
    const config = configOf(pod);

    expect(config).toMatchObject({ isProduction: true, role: role === 'http' ? 'http' : 'worker' });
    expect(config.files.storage.driver).toBe('s3');
    const named = [...Object.keys(parseEnv(SETTINGS_TEXT)), ...Object.keys(SECRETS)];
    expect(named.filter((name) => !(name in SETTINGS))).toEqual([]);
    expect(
      Object.keys(parseEnv(SETTINGS_TEXT)).filter((name) => SECRET_SETTINGS.some((each) => each === name)),
    ).toEqual([]);
    expect(KUSTOMIZATION.configMapGenerator).toEqual([{ name: 'forecourt', envs: ['settings.env'] }]);
    expect(KUSTOMIZATION.secretGenerator).toEqual([{ name: 'forecourt', envs: ['secret.env'] }]);
  });

  it('leave every secret of the example empty, and secret.env out of git', () => {
    const { DATABASE_URL: url, ...others } = parseEnv(fileOf('secret.env.example'));
    expect(url).toContain(':…@');
    expect(Object.values(others).filter((value) => value !== '')).toEqual([]);
    expect(readFileSync(join(PROJECT_ROOT, '.gitignore'), 'utf8')).toContain('\nops/kubernetes/secret.env\n');
  });
});

describe('compose.yaml', () => {
  interface Service {
    readonly profiles?: readonly string[];
    readonly cap_drop: readonly string[];
    readonly cap_add?: readonly string[];
    readonly read_only: boolean;
    readonly security_opt: readonly string[];
    readonly networks?: readonly string[];
    readonly environment?: Readonly<Record<string, string>>;
  }
  const text = readFileSync(join(PROJECT_ROOT, 'compose.yaml'), 'utf8');
  const { services } = parse(text, { merge: true }) as { services: Record<string, Service> };

  it('runs application and database always, and the rest by profiles of their names', () => {
    const profiles = Object.entries(services).map(([name, service]) => [name, service.profiles ?? []]);
    expect(profiles).toEqual([
      ['app', []],
      ['db', []],
      ['mail', ['mail']],
      ['tls', ['tls']],
      ['clamav', ['clamav']],
    ]);
    for (const profile of ['mail', 'tls', 'clamav'])
      expect(COMPOSE_VARIABLES['COMPOSE_PROFILES']?.doc).toMatch(new RegExp(`\\b${profile}\\b`));
  });

  it.each(Object.entries(services))('hardens %s', (name, service) => {
    expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] });
    expect(service.cap_add ?? []).toEqual(name === 'tls' ? ['NET_BIND_SERVICE'] : []);
  });

  it('lets the scanner write where its image gives the folder to its user: a tmpfs there would be root’s', () => {
    expect(services['clamav']).toMatchObject({
      user: 'clamav',
      tmpfs: '/tmp',
      volumes: ['signatures:/var/lib/clamav', 'scanner-log:/var/log/clamav'],
    });
  });

  it('lets nobody but the application reach the database', () => {
    const reach = Object.entries(services).filter(([, { networks }]) => networks?.includes('database') === true);
    expect(reach.map(([name]) => name)).toEqual(['app', 'db']);
  });

  it('names settings that there are', () => {
    expect(Object.keys(services['app']?.environment ?? {}).filter((name) => !(name in SETTINGS))).toEqual([]);
    const read = [...text.matchAll(/\$\{([A-Z_]+)/g)].map(([, name = '']) => name);
    expect(read.filter((name) => !(name in SETTINGS) && !(name in COMPOSE_VARIABLES))).toEqual([]);
  });
});

/** What TypeScript says of a module beside this one. */
function complaintsAbout(source: string): string[] {
  const path = join(__dirname, 'manifests.ts');
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    module: ts.ModuleKind.Node16,
    moduleResolution: ts.ModuleResolutionKind.Node16,
    types: [],
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  host.fileExists = (name) => name === path || fileExists.call(host, name);
  host.readFile = (name) => (name === path ? source : readFile.call(host, name));
  host.getSourceFile = (name, ...rest) =>
    name === path ? ts.createSourceFile(name, source, ts.ScriptTarget.ES2022) : getSourceFile.call(host, name, ...rest);
  return ts
    .getPreEmitDiagnostics(ts.createProgram([path], options, host))
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '));
}
