/** `handover apply`: not built yet. */
import { AppError, type ExitCode } from '../../errors.ts'

export function runApply(): Promise<ExitCode> {
  return Promise.reject(new AppError('apply is not built yet'))
}
