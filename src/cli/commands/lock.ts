/** `handover lock`: not built yet. */
import { AppError, type ExitCode } from '../../errors.ts'

export function runLock(): Promise<ExitCode> {
  return Promise.reject(new AppError('lock is not built yet'))
}
