/**
 * What goes wrong in steps that are no file, driver or plain generator: settings of virtual functions, and
 * commands that are taken back by a command.
 */
import * as fs from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { apply } from '../../src/apply/apply.ts'
import { journalFolder } from '../../src/apply/journal.ts'
import { rollback } from '../../src/apply/rollback.ts'
import { oneShotVariable } from '../../src/boot/loaders/loader-interface.ts'
import { CommandError } from '../../src/base/errors.ts'
import type { Step } from '../../src/steps/step.ts'
import { linuxSystem } from '../../src/machine/linux.ts'
import type { ExecResult, System } from '../../src/machine/system.ts'
import {
  address,
  fakeKernel,
  fakeSysfs,
  identityOf,
  put,
  setLink,
  tempTree,
  type FakeDevice,
} from '../support/fake-kernel.ts'
import { differences, snapshotTree, type TreeEntry } from '../support/snapshot-tree.ts'
import { fakePrograms, nic, planOf } from '../support/transactions.ts'

let root = ''
let before = new Map<string, TreeEntry>()
const ours = ['/var/lib/handover', '/run', '/proc', '/bin-fake']
const changed = () => differences(before, snapshotTree(root, ours))

describe('settings of a virtual function', () => {
  const card: FakeDevice = {
    ...nic,
    driver: 'igb',
    mac: '52:54:00:00:01:00',
    sriov: { total: 7, device: '10ca', numVfs: 2 },
  }
  const setUp = (number: number): Step => ({
    kind: 'vf',
    address: address(card.address),
    identity: identityOf(card),
    number,
    before: { vlan: 0, trust: false },
    after: { vlan: 20, trust: true },
    why: '',
  })
  const steps = [setUp(0), setUp(1)]
  const kernel = () => fakeKernel(root, { igb: ['8086:10d3'] })
  /**
   * `ip` for function 1 answers once in this way; every other call, those that take back among them, works.
   */
  const once = (answer: (argv: readonly string[]) => Promise<ExecResult>): System => {
    const system = kernel()
    let isUsed = false
    return {
      ...system,
      exec: (argv, options) => {
        if (isUsed || argv[argv.indexOf('vf') + 1] !== '1') return system.exec(argv, options)
        isUsed = true
        return answer(argv)
      },
    }
  }
  const ended = (status: number | undefined, stderr = ''): ExecResult => ({
    status,
    stdout: '',
    stderr,
    timedOut: status === undefined,
  })

  beforeEach(() => {
    root = tempTree()
    fakeSysfs(root, [card], { igb: ['8086:10d3'] })
    fs.mkdirSync(join(root, 'var/lib'), { recursive: true })
    fs.mkdirSync(join(root, 'run'))
    put(root, '/proc/sys/kernel/random/boot_id', 'boot-1\n')
    before = snapshotTree(root, ours)
  })
  afterEach(() => fs.rmSync(root, { recursive: true, force: true }))

  it.each<[string, (argv: readonly string[]) => Promise<ExecResult>, RegExp]>([
    [
      'the driver refuses',
      () => Promise.resolve(ended(2, 'RTNETLINK answers: Operation not supported')),
      /ip ended with status 2: RTNETLINK answers: Operation not supported/,
    ],
    [
      'the driver refuses after a part of it',
      (argv) => {
        setLink(root, [...argv.slice(0, argv.indexOf('vlan') + 2)])
        return Promise.resolve(ended(2, 'RTNETLINK answers: Invalid argument'))
      },
      /Invalid argument/,
    ],
    [
      'the driver says yes and takes a part',
      (argv) => {
        setLink(root, [...argv.slice(0, argv.indexOf('vlan') + 2)])
        return Promise.resolve(ended(0))
      },
      /only part of vlan 20 trust on was accepted/,
    ],
    [
      'ip hangs',
      () => Promise.resolve(ended(undefined)),
      /ip link set dev eth0 vf 1 vlan 20 trust on did not answer within 30 seconds/,
    ],
    [
      'there is no ip',
      (argv) => Promise.reject(new CommandError(argv, undefined, 'there is no such program')),
      /there is no such program/,
    ],
  ])('are taken back, those of the function before as well, when %s', async (_, answer, cause) => {
    expect(await apply(planOf(steps), once(answer))).toMatchObject({
      outcome: 'restored',
      cause: expect.stringMatching(cause) as string,
    })
    expect(changed()).toEqual([])
  })

  it('that somebody else changed since are left alone, and the rollback says what they are', async () => {
    await apply(planOf(steps), kernel())
    await kernel().exec(['ip', 'link', 'set', 'dev', 'eth0', 'vf', '1', 'vlan', '99'])
    await expect(rollback(kernel(), undefined)).rejects.toThrow(
      /virtual function 1 of .* has vlan 99 trust on/,
    )
  })

  it('that cannot be read are not guessed: nothing is changed', async () => {
    const blind: System = {
      ...kernel(),
      showLink: () => ({ ok: false, reason: 'unreadable', code: 'ETIMEDOUT' }),
    }
    await expect(apply(planOf(steps), blind)).rejects.toThrow(/cannot be read \(ip link show dev eth0\)/)
    expect(changed()).toEqual([])
  })
})

describe('a command that is taken back by a command', () => {
  let programs: ReturnType<typeof fakePrograms>
  const choose: Step = {
    kind: 'command',
    argv: ['bootctl', 'set-oneshot', 'handover-trial.conf'],
    outputs: [oneShotVariable],
    once: true,
    undo: ['bootctl', 'set-oneshot', ''],
    why: '',
  }
  const entry: Step = {
    kind: 'file',
    path: '/etc/entry',
    before: null,
    after: { text: 'x\n', mode: 0o644 },
    why: '',
  }
  const system = () => linuxSystem({ root })
  /** `$R/mode` says what goes wrong after the variable is written. */
  const bootctl = `v="$R${oneShotVariable}"
    if [ -z "$2" ]; then [ -e "$R/run/stuck" ] || rm -f "$v"; exit 0; fi
    echo "$2" > "$v"
    case $(cat "$R/run/mode" 2>/dev/null) in fail) exit 1 ;; kill) kill -9 $$ ;; hang) sleep 60 ;; esac`

  beforeEach(() => {
    root = tempTree()
    for (const path of ['etc', 'run', 'var/lib', 'sys/firmware/efi/efivars'])
      fs.mkdirSync(join(root, path), { recursive: true })
    before = snapshotTree(root, ours)
    programs = fakePrograms(root, { bootctl })
  })
  afterEach(() => programs.end())

  it.each(['fail', 'kill', 'hang'])('and goes wrong after its work (%s) leaves nothing', async (mode) => {
    put(root, '/run/mode', mode)
    expect(await apply(planOf([entry, choose]), system(), { limits: { commandSeconds: 0.5 } })).toMatchObject(
      {
        outcome: 'restored',
      },
    )
    expect(changed()).toEqual([])
  })

  it('and was cut off by a power cut is taken back by the rollback', async () => {
    await apply(planOf([entry, choose]), system())
    const events = join(root, journalFolder, '0001/events.jsonl')
    const lines = fs.readFileSync(events, 'utf8').split('\n')
    fs.writeFileSync(events, lines.filter((line) => !/"outputs"|"end"/.test(line)).join('\n'))
    expect(await rollback(system(), undefined)).toMatchObject({ outcome: 'rolled-back' })
    expect(changed()).toEqual([])
  })

  it('whose way back does nothing is never called restored; the next rollback looks again', async () => {
    put(root, '/run/mode', 'fail')
    put(root, '/run/stuck', '')
    expect(await apply(planOf([entry, choose]), system())).toMatchObject({
      outcome: 'not-restored',
      leftovers: [`${oneShotVariable} is not as before, although bootctl set-oneshot '' was run`],
    })
    fs.rmSync(join(root, 'run/stuck'))
    expect(await rollback(system(), undefined)).toMatchObject({ outcome: 'rolled-back' })
    expect(changed()).toEqual([])
  })
})
