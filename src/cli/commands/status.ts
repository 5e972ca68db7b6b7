/** `handover status`: not built yet. */
import { AppError, type ExitCode } from '../../errors.ts'

export function runStatus(): Promise<ExitCode> {
  return Promise.reject(new AppError('status is not built yet'))
}
