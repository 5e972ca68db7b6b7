/** `handover inspect`: not built yet. */
import { AppError, type ExitCode } from '../../errors.ts'

export function runInspect(): Promise<ExitCode> {
  return Promise.reject(new AppError('inspect is not built yet'))
}
