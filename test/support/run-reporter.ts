/**
 * Writes how many tests passed, failed and were skipped, and the seconds of each file, to the file named by
 * HANDOVER_TEST_SUMMARY, for scripts/test.mjs.
 */
import { writeFileSync } from 'node:fs'
import { relative } from 'node:path'
import type { Reporter, TestModule } from 'vitest/node'

export default class RunReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const file = process.env['HANDOVER_TEST_SUMMARY']
    if (file === undefined) return
    const counts = { passed: 0, failed: 0, skipped: 0 }
    for (const module of modules) {
      const failedBefore = counts.failed
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        counts[state === 'pending' ? 'skipped' : state] += 1
      }
      // A file that could not be loaded, or whose set-up failed, has no failed test and is a failure all the
      // same.
      if (!module.ok() && counts.failed === failedBefore) counts.failed += 1
    }
    const seconds = modules.map((module) => {
      const { duration, collectDuration, setupDuration } = module.diagnostic()
      return [relative(process.cwd(), module.moduleId), (duration + collectDuration + setupDuration) / 1000]
    })
    writeFileSync(file, JSON.stringify({ counts, seconds }))
  }
}
