/** `handover lab`: not built yet. */
import { AppError, type ExitCode } from '../../errors.ts'

export function runLabRun(): Promise<ExitCode> {
  return Promise.reject(new AppError('lab run is not built yet'))
}

export function runLabSetup(): Promise<ExitCode> {
  return Promise.reject(new AppError('lab setup is not built yet'))
}
