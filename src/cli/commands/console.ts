/** `handover console`: not built yet. */
import { AppError, type ExitCode } from '../../errors.ts'

export function runConsole(): Promise<ExitCode> {
  return Promise.reject(new AppError('console is not built yet'))
}
