import { describe, expect, it } from 'vitest'
import type { CommandResult } from '../../../src/lab/lab-host.ts'
import { measurement, measureVirtio } from '../../../src/lab/measurement.ts'

/** A host that names the disk and then answers each start of the guest with the next of these. */
function hostThatAnswers(answers: readonly CommandResult[]) {
  const commands: string[] = []
  const run = (command: string): Promise<CommandResult> => {
    commands.push(command)
    if (command.endsWith(' name')) return Promise.resolve({ status: 0, lines: ['/dev/sdb'] })
    return Promise.resolve(answers[commands.length - 2] ?? { status: 1, lines: [] })
  }
  return { run, commands }
}

const hung: CommandResult = { status: 137, lines: ['SeaBIOS'] }
const measured: CommandResult = { status: 0, lines: ['guest: bench at 2.1', 'measure vda 4096000 0.80'] }

describe('the measurement through virtio', () => {
  it('starts a guest that hung again, and reports it', async () => {
    const host = hostThatAnswers([hung, measured])
    const told: string[] = []
    const result = await measureVirtio(host, 'MEDIA-1', (text) => told.push(text))
    expect(result).toEqual({ way: 'virtio', bytes: 4_096_000, seconds: 0.8 })
    expect(told).toEqual(['the measuring guest hung for 90 s; it is started again'])
    expect(host.commands).toHaveLength(3)
    expect(host.commands[1]).toMatch(/^timeout -s KILL 90 qemu-system-x86_64 .*file=\/dev\/sdb/)
  })

  it('gives up after three, with the last words of the guest', async () => {
    const host = hostThatAnswers([hung, hung, hung, measured])
    const error: unknown = await measureVirtio(host, 'MEDIA-1', () => undefined).catch(
      (caught: unknown) => caught,
    )
    expect(error).toMatchObject({ message: 'the measurement «virtio» gave no figures', help: 'SeaBIOS' })
    expect(host.commands).toHaveLength(4)
  })

  it('does not start a guest again that ended by itself without figures', async () => {
    const host = hostThatAnswers([{ status: 1, lines: ['qemu-system-x86_64: no such disk'] }, measured])
    const error: unknown = await measureVirtio(host, 'MEDIA-1', () => undefined).catch(
      (caught: unknown) => caught,
    )
    expect(error).toMatchObject({ help: 'qemu-system-x86_64: no such disk' })
    expect(host.commands).toHaveLength(2)
  })
})

it('reads a figure with and without the name of the disk', () => {
  expect(measurement('bare host', { status: 0, lines: ['measure 8192 0.50'] })).toMatchObject({ bytes: 8192 })
  expect(measurement('passed through', { status: 0, lines: ['measure sda 8192 0.50'] })).toMatchObject({
    seconds: 0.5,
  })
})
