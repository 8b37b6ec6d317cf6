// Who may know whom. The layers, from the bottom: config, common, database, persons, limits, jobs, alerts, platform (audit,
// files, backup, mail), identity (users, auth), domains (leads), privacy, ops, app. Every rule was once seen failing on a
// planted violation.
const VISIBLE =
  '(\\.module|\\.service|\\.errors|\\.jobs|\\.interceptor|\\.filter|/role|/upload-profiles|/download|/encryption)\\.ts$';
const ACCESS = '^src/auth/(auth\\.decorators|permissions)\\.ts$';
const folder = (name) => `^src/${name}/`;

/** From the bottom; the doctor stands beside them. */
const MODULES = [
  'persons',
  'limits',
  'jobs',
  'alerts',
  'audit',
  'files',
  'backup',
  'mail',
  'users',
  'auth',
  'leads',
  'privacy',
  'ops',
];
const without = (...names) => MODULES.filter((name) => !names.includes(name));

/** A module must not import what lies above it. */
const below = (name, above, except) => ({
  name: `${name}-imports-downward`,
  comment: `${name} must not know ${above.join(', ')}: give it an Actor and ids instead.`,
  severity: 'error',
  from: { path: folder(name) },
  to: { path: above.map(folder), ...(except === undefined ? {} : { pathNot: except }) },
});

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'A cycle means that a third module or a job is missing.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-orphans',
      comment: 'A file that nobody uses is to be removed.',
      severity: 'error',
      from: { orphan: true, path: '^src/', pathNot: '\\.worker\\.js$' },
      to: {},
    },
    below('config', ['common', 'database', ...MODULES]),
    below('common', ['database', ...MODULES]),
    below('database', MODULES),
    below('persons', without('persons')),
    below('limits', without('persons', 'limits')),
    below('jobs', without('persons', 'limits', 'jobs')),
    below('alerts', without('persons', 'limits', 'jobs', 'alerts')),
    below('audit', without('persons', 'limits', 'audit'), ACCESS),
    below('files', ['backup', 'mail', 'users', 'auth', 'leads', 'privacy', 'ops'], ACCESS),
    below('backup', ['mail', 'users', 'auth', 'leads', 'privacy', 'ops']),
    below('mail', ['audit', 'files', 'backup', 'users', 'auth', 'leads', 'privacy', 'ops'], ACCESS),
    below('users', ['files', 'backup', 'mail', 'auth', 'leads', 'privacy', 'ops'], ACCESS),
    below('auth', ['files', 'backup', 'leads', 'privacy', 'ops']),
    below('leads', ['backup', 'users', 'auth', 'privacy', 'ops'], ACCESS),
    below('privacy', ['files', 'backup', 'mail', 'users', 'auth', 'leads', 'ops'], ACCESS),
    below('ops', ['backup', 'leads', 'privacy', 'users', 'auth'], ACCESS),
    {
      name: 'only-the-public-face',
      comment:
        'From another module import only its module, service, errors, job definitions, interceptors, filters, downloads and shared enums.',
      severity: 'error',
      from: { path: `^src/(${MODULES.join('|')})/` },
      to: {
        path: `^src/(${MODULES.join('|')})/`,
        pathNot: ['^src/$1/', VISIBLE, ACCESS],
      },
    },
    {
      name: 'nobody-asks-the-doctor',
      comment: 'The doctor looks at everything from outside, as its command alone.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(doctor/|cli\\.ts$)' },
      to: { path: '^src/doctor/' },
    },
    {
      name: 'controllers-stay-thin',
      comment: 'A controller calls its service; the service knows the repository.',
      severity: 'error',
      from: { path: '\\.controller\\.ts$' },
      to: { path: '\\.repository\\.ts$' },
    },
    {
      name: 'access-only-in-controllers',
      comment: 'Only controllers say who may call.',
      severity: 'error',
      from: { path: '^src/(?!auth/)', pathNot: '\\.controller\\.ts$' },
      to: { path: ACCESS },
    },
    {
      name: 'no-dev-packages',
      comment: 'The image has no development packages.',
      severity: 'error',
      from: { path: '^(src|migrations)/', pathNot: '(\\.spec\\.ts$|common/logging\\.ts$)' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-tests',
      comment: 'The program does not know its tests.',
      severity: 'error',
      from: { path: '^(src|migrations)/' },
      to: { path: '^(test|bench|tools)/' },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '\\.spec\\.ts$' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
    reporterOptions: { mermaid: { minify: false } },
  },
};
