import { defineConfig } from 'vitest/config'

// The longer suite (`npm run test:boot`): the distribution's own boot tools in a throw-away copy of this system, and hosts that reboot.
export default defineConfig({
  test: {
    include: ['test/boot/**/*.test.ts'],
    testTimeout: 600_000,
    fileParallelism: false,
    hookTimeout: 600_000,
    reporters: ['verbose', './test/support/count-reporter.ts'],
  },
})
