import { availableParallelism, freemem } from 'node:os'
import { defineConfig } from 'vitest/config'
import { LongestFirst } from './test/support/longest-first.ts'

/** `random` takes another seed in every run; a number repeats that run (docs/testing.md). */
const asked = process.env['HANDOVER_SEED'] ?? '1'
const seed = asked === 'random' ? Math.floor(Math.random() * 2 ** 31) : Number(asked)

/**
 * A lab host has two processors but is busy with one most of the time, and takes up to 2.5 GiB: beside it a
 * second file runs.
 */
const workers = Math.max(1, Math.min(availableParallelism(), 4, Math.floor(freemem() / 2 ** 30 / 3)))

export default defineConfig({
  test: {
    env: { HANDOVER_SEED: String(seed) },
    globalSetup: './test/support/temporary-folder.ts',
    maxWorkers: workers,
    sequence: { sequencer: LongestFirst },
    reporters: ['default', './test/support/run-reporter.ts'],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/lab/**', 'test/boot/**', 'test/package-host/**'],
          testTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: { name: 'lab', include: ['test/lab/**/*.test.ts'], testTimeout: 600_000, hookTimeout: 600_000 },
      },
      {
        extends: true,
        // A plain Debian in a virtual host that gets the tool as a package.
        test: {
          name: 'package',
          include: ['test/package-host/**/*.test.ts'],
          testTimeout: 600_000,
          hookTimeout: 2_400_000,
        },
      },
      {
        extends: true,
        // The distribution's own boot tools in a throw-away copy of this system, and hosts that reboot.
        test: {
          name: 'boot',
          include: ['test/boot/**/*.test.ts'],
          testTimeout: 600_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
})
