/** Asks by TCP, HTTP or ping whether a machine answers, each within a time limit. */
import { createConnection } from 'node:net'
import { exec } from './exec.ts'

export type Answer = { readonly answered: boolean; readonly said: string }

export function askTcp(host: string, port: number, timeoutMs: number): Promise<Answer> {
  return new Promise((resolve) => {
    const socket = createConnection({ host, port, timeout: timeoutMs })
    const finish = (answered: boolean, said: string) => {
      socket.destroy()
      resolve({ answered, said })
    }
    socket.once('connect', () => finish(true, `${host}:${port} accepts connections`))
    socket.once('timeout', () => finish(false, `no answer from ${host}:${port}`))
    socket.once('error', (error: NodeJS.ErrnoException) =>
      finish(false, `${host}:${port}: ${error.code ?? error.message}`),
    )
  })
}

/** Any HTTP status counts as an answer: a service with a login page answers 401. */
export async function askHttp(url: string, timeoutMs: number): Promise<Answer> {
  try {
    const response = await fetch(url, {
      signal: AbortSignal.timeout(Math.ceil(timeoutMs)),
      redirect: 'manual',
    })
    await response.body?.cancel()
    return { answered: true, said: `${url} answered ${response.status}` }
  } catch (error) {
    const cause = (error as { cause?: NodeJS.ErrnoException }).cause
    return { answered: false, said: `${url}: ${cause?.code ?? (error as Error).message}` }
  }
}

export async function askPing(host: string, timeoutMs: number): Promise<Answer> {
  const result = await exec(['ping', '-c', '1', '-W', String(Math.ceil(timeoutMs / 1000)), host], {
    timeoutSeconds: timeoutMs / 1000 + 1,
  })
  return {
    answered: result.status === 0,
    said: result.status === 0 ? `${host} answers ping` : `${host} does not answer ping`,
  }
}
