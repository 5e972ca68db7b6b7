/** `handover plan`: not built yet. */
import { AppError, type ExitCode } from '../../errors.ts'

export function runPlan(): Promise<ExitCode> {
  return Promise.reject(new AppError('plan is not built yet'))
}
