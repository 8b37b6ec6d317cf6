// Who may know whom. The layers, from the bottom: config, common, database, limits, jobs, alerts, platform (audit, files, mail), identity (users,
// auth), domains (leads), ops, app. Every rule was once seen failing on a planted violation.
const VISIBLE =
  '(\\.module|\\.service|\\.errors|\\.jobs|\\.interceptor|\\.filter|/role|/upload-profiles|/download|/encryption)\\.ts$';
const ACCESS = '^src/auth/(auth\\.decorators|permissions)\\.ts$';
const folder = (name) => `^src/${name}/`;

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
    below('config', [
      'common',
      'database',
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
      'ops',
    ]),
    below('common', [
      'database',
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
      'ops',
    ]),
    below('database', [
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
      'ops',
    ]),
    below('limits', ['jobs', 'alerts', 'audit', 'files', 'mail', 'users', 'auth', 'leads', 'ops']),
    below('jobs', ['alerts', 'audit', 'files', 'backup', 'mail', 'users', 'auth', 'leads', 'ops']),
    below('alerts', ['audit', 'files', 'backup', 'mail', 'users', 'auth', 'leads', 'ops']),
    below('audit', ['jobs', 'alerts', 'files', 'backup', 'mail', 'users', 'auth', 'leads', 'ops'], ACCESS),
    below('files', ['backup', 'mail', 'users', 'auth', 'leads', 'ops'], ACCESS),
    below('backup', ['mail', 'users', 'auth', 'leads', 'ops']),
    below('mail', ['audit', 'files', 'users', 'auth', 'leads', 'ops'], ACCESS),
    below('users', ['files', 'mail', 'auth', 'leads', 'ops'], ACCESS),
    below('auth', ['files', 'leads', 'ops']),
    below('leads', ['backup', 'users', 'auth', 'ops'], ACCESS),
    below('ops', ['leads', 'users', 'auth'], ACCESS),
    {
      name: 'only-the-public-face',
      comment:
        'From another module import only its module, service, errors, job definitions, interceptors, filters, downloads and shared enums.',
      severity: 'error',
      from: { path: '^src/(limits|jobs|alerts|audit|files|backup|mail|users|auth|leads|ops)/' },
      to: {
        path: '^src/(limits|jobs|alerts|audit|files|backup|mail|users|auth|leads|ops)/',
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
