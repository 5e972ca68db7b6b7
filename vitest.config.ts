import { defineConfig } from 'vitest/config'

// Suites that boot machines live in test/lab and test/boot (vitest.lab.config.ts): they want both cores for themselves.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/lab/**', 'test/boot/**'],
    testTimeout: 60_000,
    reporters: ['default', './test/support/count-reporter.ts'],
  },
})
