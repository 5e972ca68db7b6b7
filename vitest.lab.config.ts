import { defineConfig } from 'vitest/config'

// One file at a time: each boots a virtual host.
export default defineConfig({
  test: {
    include: ['test/lab/**/*.test.ts'],
    testTimeout: 600_000,
    hookTimeout: 600_000,
    fileParallelism: false,
    reporters: ['verbose', './test/support/count-reporter.ts'],
  },
})
