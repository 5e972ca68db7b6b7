/**
 * Tests that need a tool skip with their reason where it is missing, and fail when CI=true: no silent skips
 * there.
 */
import { workFolder } from '../../src/machine/work-folder.ts'

/** For `it.skipIf`: true when one of the programs is missing and this is not CI. */
export function lacks(...programs: readonly string[]): boolean {
  return (
    process.env['CI'] !== 'true' && programs.some((program) => workFolder.findProgram(program) === undefined)
  )
}
