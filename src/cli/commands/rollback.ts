/** `handover rollback`: not built yet. */
import { AppError, type ExitCode } from '../../errors.ts'

export function runRollback(): Promise<ExitCode> {
  return Promise.reject(new AppError('rollback is not built yet'))
}
