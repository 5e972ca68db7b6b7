/** `handover verify`: not built yet. */
import { AppError, type ExitCode } from '../../errors.ts'

export function runVerify(): Promise<ExitCode> {
  return Promise.reject(new AppError('verify is not built yet'))
}
