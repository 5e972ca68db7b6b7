import { defineConfig } from 'vitest/config'

// Suites that boot machines live in test/lab and are started by scripts/test.mjs after the rest:
// they want both cores for themselves.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/lab/**', 'test/boot/**'],
    testTimeout: 60_000,
    reporters: process.env['HANDOVER_REPORTER'] ? [process.env['HANDOVER_REPORTER']] : ['default'],
  },
})
