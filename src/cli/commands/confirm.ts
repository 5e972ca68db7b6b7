/** `handover confirm`: not built yet. */
import { AppError, type ExitCode } from '../../errors.ts'

export function runConfirm(): Promise<ExitCode> {
  return Promise.reject(new AppError('confirm is not built yet'))
}
