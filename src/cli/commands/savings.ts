/** `handover savings`: not built yet. */
import { AppError, type ExitCode } from '../../errors.ts'

export function runSavings(): Promise<ExitCode> {
  return Promise.reject(new AppError('savings is not built yet'))
}
