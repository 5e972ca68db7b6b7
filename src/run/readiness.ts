/** Asks whether a VM is up: it is up when it answers, not after a delay. */
import { AppError } from '../base/errors.ts'
import type { ReadySpec } from '../spec/spec.ts'
import { askHttp, askPing, askTcp, type Answer } from '../machine/network.ts'
import type { Connection } from '../machine/system.ts'
import { askGuest } from './guest-report.ts'

/** Asks once, for about `patienceMs` at most. `openReport` connects to the report line of the guest. */
export async function askReady(
  check: ReadySpec['check'],
  openReport: () => Promise<Connection>,
  patienceMs: number,
): Promise<Answer> {
  switch (check.kind) {
    case 'http':
      return await askHttp(check.url, patienceMs)
    case 'tcp':
      return await askTcp(check.host, check.port, patienceMs)
    case 'ping':
      return await askPing(check.host, patienceMs)
    case 'report':
      try {
        await askGuest(await openReport(), '', patienceMs / 1000)
        return { answered: true, said: 'the guest answers on its report line' }
      } catch (error) {
        if (!(error instanceof AppError)) throw error
        return { answered: false, said: error.message }
      }
  }
}

export function readyInWords(check: ReadySpec['check']): string {
  switch (check.kind) {
    case 'http':
      return `${check.url} answers`
    case 'tcp':
      return `${check.host}:${check.port} accepts connections`
    case 'ping':
      return `${check.host} answers ping`
    case 'report':
      return 'the guest reports'
  }
}
