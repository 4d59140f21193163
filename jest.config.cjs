/** Tests mirror src/: unit suites beside e2e (real peers) and fuzz. Worker threads and child processes start from dist/, so build first. */
// Inherited by every worker, before one of them loads the library.
process.env.ORT_DISABLE_TELEMETRY = '1';

module.exports = {
  testEnvironment: '<rootDir>/test/support/environment.cjs',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
        module: { type: 'commonjs', ignoreDynamic: true },
      },
    ],
  },
  moduleNameMapper: { '^@evan/opus$': '<rootDir>/test/support/opus-once.cjs' },
  testTimeout: 30_000,
};
