/** Programs run on this machine: for the files of another tree none may. */
import { tmpdir } from 'node:os'
import { describe, expect, it } from 'vitest'
import { attended, refuseCommands } from '../../../src/app/transaction.ts'
import { linuxSystem } from '../../../src/machine/linux.ts'
import type { Step } from '../../../src/steps/step.ts'

const command: Step = { kind: 'command', argv: ['update-grub'], outputs: [], why: '' }
const file: Step = { kind: 'file', path: '/etc/a', before: null, after: { text: 'a', mode: 0o644 }, why: '' }

describe('a plan for the files of a tree', () => {
  it('is refused where it runs a program, whoever calls', () => {
    const tree = linuxSystem({ root: tmpdir() })
    expect(() => refuseCommands(tree, [file, command])).toThrow(
      `this runs update-grub, which would run here and not in ${tmpdir()}; nothing was changed`,
    )
    expect(() => refuseCommands(tree, [file])).not.toThrow()
  })

  it('is one of this machine where the tree is the machine', () => {
    for (const machine of [linuxSystem(), linuxSystem({ root: '/' })]) {
      expect([machine.live, machine.root]).toEqual([true, undefined])
      expect(() => refuseCommands(machine, [command])).not.toThrow()
    }
  })
})

describe('a caller that attends a transaction', () => {
  it('runs it, and may ask it to stop', async () => {
    let stopped = false
    const caller = {
      attend: async <T>(run: () => Promise<T>, stop?: () => void): Promise<T> => {
        stop?.()
        return await run()
      },
    }
    const run = () => Promise.resolve('done')
    expect(await attended(caller, run, () => void (stopped = true))).toBe('done')
    expect(stopped).toBe(true)
    expect(await attended({}, run)).toBe('done')
  })
})
