/** `handover up`: not built yet. */
import { AppError, type ExitCode } from '../../errors.ts'

export function runUp(): Promise<ExitCode> {
  return Promise.reject(new AppError('up is not built yet'))
}
