/** Standard input as bytes, up to a limit; reading stops there, however much more is offered. */
import type { ReadResult } from './system.ts'

export async function readStandardInput(limit: number): Promise<ReadResult<Uint8Array>> {
  const chunks: Uint8Array[] = []
  let total = 0
  try {
    for await (const chunk of process.stdin as AsyncIterable<Uint8Array>) {
      total += chunk.length
      if (total > limit) {
        process.stdin.destroy()
        return { ok: false, reason: 'too-large' }
      }
      chunks.push(chunk)
    }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    return { ok: false, reason: 'unreadable', ...(code === undefined ? {} : { code }) }
  }
  return { ok: true, value: Buffer.concat(chunks) }
}
