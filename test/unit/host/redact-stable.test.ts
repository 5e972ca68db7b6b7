import { describe, expect, it } from 'vitest'
import { redactorFor } from '../../../src/sources/capture/redact.ts'
import { emptyRecording } from '../../../src/sources/capture/recording.ts'
import { device, hostWith } from '../../support/host-builder.ts'

const address = '/sys/class/net/eth0/address'
/** The lines of one file, redacted. */
const fakes = (key: string, ...macs: readonly string[]) => {
  const recording = emptyRecording(true)
  recording.files.set(address, new TextEncoder().encode(macs.join('\n')))
  const redactor = redactorFor(recording, { host: hostWith(device('01:00.0', {})), hostNames: [], key })
  const text = new TextDecoder().decode(redactor.recording(recording).files.get(address))
  return new Map(text.split('\n').map((fake, at) => [macs[at] ?? '', fake]))
}

describe('stand-ins for secrets', () => {
  it('stay the same when a card is added, so that a later capture of the same host can be compared', () => {
    const before = fakes('id', '52:54:00:00:00:0a')
    const after = fakes('id', '52:54:00:00:00:01', '52:54:00:00:00:0a')
    expect(after.get('52:54:00:00:00:0a')).toBe(before.get('52:54:00:00:00:0a'))
  })

  it('differ from machine to machine, so that nobody finds the secret by trying them all', () =>
    expect(fakes('id', '52:54:00:00:00:0a')).not.toEqual(fakes('other', '52:54:00:00:00:0a')))

  it('are never shared by two secrets', () => {
    const macs = Array.from(
      { length: 500 },
      (_, index) =>
        `52:54:00:00:${(index >> 8).toString(16).padStart(2, '0')}:${(index & 255).toString(16).padStart(2, '0')}`,
    )
    expect(new Set(fakes('id', ...macs).values()).size).toBe(500)
  })
})
