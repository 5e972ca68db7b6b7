import { defineConfig } from 'vitest/config'

// The longer suite: the distribution's own boot tools in a throw-away copy of this system (`npm run test:boot`).
export default defineConfig({
  test: {
    include: ['test/boot/**/*.test.ts'],
    testTimeout: 600_000,
    fileParallelism: false,
    reporters: ['verbose'],
  },
})
