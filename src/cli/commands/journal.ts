/** `handover journal`: not built yet. */
import { AppError, type ExitCode } from '../../errors.ts'

export function runJournal(): Promise<ExitCode> {
  return Promise.reject(new AppError('journal is not built yet'))
}
