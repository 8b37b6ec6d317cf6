import comments from '@eslint-community/eslint-plugin-eslint-comments/configs';
import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/** The only source of the present time is the clock (src/common/clock.ts). */
const NO_CLOCK = [
  { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: 'Take the time from the Clock.' },
  {
    selector: "CallExpression[callee.object.name='Date'][callee.property.name='now']",
    message: 'Take the time from the Clock.',
  },
];
const NO_ENVIRONMENT = {
  selector: "MemberExpression[object.name='process'][property.name='env']",
  message: 'Only src/config reads the environment.',
};
/** Otherwise jobs and mail would not know which request they come from. */
const NO_ACTOR_UNTOLD = {
  selector:
    "MethodDefinition[value.params.0.name='actor'] CallExpression[callee.object.property.name='transactions'][callee.property.name='run'][arguments.length=1]",
  message: 'Name the actor: this.transactions.run(actor, …).',
};
const NO_FOCUS = [
  {
    selector: 'CallExpression[callee.object.name=/^(it|test|describe)$/][callee.property.name=/^(only|skip|todo)$/]',
    message: 'No focused, skipped or empty tests.',
  },
];

const TYPEORM = {
  name: 'typeorm',
  message: 'Only entities, repositories, database/, migrations/ and test/support may use TypeORM.',
};
const HTTP_EXCEPTIONS = {
  name: '@nestjs/common',
  importNames: [
    'HttpException',
    'BadRequestException',
    'UnauthorizedException',
    'ForbiddenException',
    'NotFoundException',
    'ConflictException',
    'InternalServerErrorException',
    'UnprocessableEntityException',
    'PayloadTooLargeException',
    'UnsupportedMediaTypeException',
    'ServiceUnavailableException',
  ],
  message: "Throw one of the module's refusals (*.errors.ts).",
};
const MANAGER = {
  group: ['**/database/transactions.js'],
  importNames: ['rowsIn'],
  message: 'Only repositories run statements in a transaction.',
};

export default tseslint.config(
  { ignores: ['dist/', 'coverage/', 'var/', 'node_modules/'] },
  js.configs.recommended,
  tseslint.configs.strictTypeChecked,
  comments.recommended,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@eslint-community/eslint-comments/require-description': 'error',
      '@eslint-community/eslint-comments/disable-enable-pair': 'off',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true }],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_$', ignoreRestSiblings: true },
      ],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/require-await': 'off',
      // responses are plain objects shaped like their documented classes
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      '@typescript-eslint/no-misused-spread': 'off',
      'no-control-regex': 'off',
      'max-lines': ['warn', { max: 350, skipBlankLines: true, skipComments: true }],
      'no-restricted-syntax': ['error', 'ExportDefaultDeclaration', ...NO_CLOCK, NO_ENVIRONMENT, NO_ACTOR_UNTOLD],
      'no-restricted-imports': ['error', { paths: [TYPEORM, HTTP_EXCEPTIONS], patterns: [MANAGER] }],
    },
  },
  { files: ['src/config/**'], rules: { 'no-restricted-syntax': ['error', 'ExportDefaultDeclaration', ...NO_CLOCK] } },
  {
    files: ['src/common/**', 'src/auth/access.guard.ts'],
    rules: { 'no-restricted-imports': ['error', { paths: [TYPEORM], patterns: [MANAGER] }] },
  },
  {
    files: ['src/common/clock.ts', 'src/common/logging.ts'],
    rules: { 'no-restricted-syntax': ['error', 'ExportDefaultDeclaration', NO_ENVIRONMENT] },
  },
  {
    files: ['**/*.entity.ts'],
    rules: { 'no-restricted-imports': ['error', { paths: [HTTP_EXCEPTIONS], patterns: [MANAGER] }] },
  },
  {
    files: ['**/*.repository.ts', 'src/database/**', 'src/jobs/jobs.service.ts', 'migrations/**'],
    rules: { 'no-restricted-imports': ['error', { paths: [HTTP_EXCEPTIONS] }] },
  },
  { files: ['src/**/*.worker.js'], rules: { 'no-restricted-syntax': 'off' } },
  {
    files: ['test/**', 'src/**/*.spec.ts', 'bench/**', 'tools/**', '*.mjs'],
    rules: {
      'no-restricted-imports': 'off',
      'no-restricted-syntax': ['error', ...NO_FOCUS],
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/unbound-method': 'off',
      // jest's matchers are of type any, and whole files of cases stay together
      '@typescript-eslint/no-unsafe-assignment': 'off',
      'max-lines': 'off',
    },
  },
  { files: ['**/*.cjs'], languageOptions: { globals: { module: 'writable' } } },
  {
    files: ['**/*.mjs', '**/*.js', '**/*.cjs'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        URL: 'readonly',
        URLSearchParams: 'readonly',
        fetch: 'readonly',
        FormData: 'readonly',
        Blob: 'readonly',
        Buffer: 'readonly',
        TextEncoder: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
        setInterval: 'readonly',
        clearInterval: 'readonly',
        setImmediate: 'readonly',
        performance: 'readonly',
        AbortSignal: 'readonly',
      },
    },
  },
);
