/** `handover down`: not built yet. */
import { AppError, type ExitCode } from '../../errors.ts'

export function runDown(): Promise<ExitCode> {
  return Promise.reject(new AppError('down is not built yet'))
}
