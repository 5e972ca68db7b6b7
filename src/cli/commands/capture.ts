/** `handover capture`: not built yet. */
import { AppError, type ExitCode } from '../../errors.ts'

export function runCapture(): Promise<ExitCode> {
  return Promise.reject(new AppError('capture is not built yet'))
}
