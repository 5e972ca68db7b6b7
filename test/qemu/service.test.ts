/**
 * VMs as services. systemd does not run where tests do: a stand-in for systemctl keeps to what it does with
 * such a unit, and one for systemd-notify writes down what it is told. QEMU is a stand-in as well; the lab
 * (lab/life.yaml) has the real ones.
 */
import * as fs from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { stopVms, type Stopped } from '../../src/app/down.ts'
import { hasService, readServices } from '../../src/app/service.ts'
import { pauseSeconds, runUnit, type UnitEvent } from '../../src/app/unit.ts'
import { vmStatus } from '../../src/app/status.ts'
import { startVms } from '../../src/app/up.ts'
import { vmDropInPath } from '../../src/boot/vm-units.ts'
import { engine, runningVms } from '../../src/engines/engines.ts'
import { vmFiles } from '../../src/engines/qemu/vm-files.ts'
import type { System } from '../../src/machine/system.ts'
import type { UpEvent } from '../../src/run/up.ts'
import { put } from '../support/fake-kernel.ts'
import { hostInForce, record, spec, type InForce } from '../support/in-force.ts'
import { standInQemu } from '../support/stand-in-qemu.ts'

let host: InForce
let system: System
let programs = ''
const path = process.env['PATH']

beforeEach(() => {
  host = hostInForce({ ...record, specText: spec })
  programs = join(host.root, 'programs')
  fs.mkdirSync(programs)
  fs.mkdirSync(join(host.root, 'run/systemd/system'), { recursive: true })
  for (const vm of ['firewall', 'media'])
    put(host.root, vmDropInPath(vm), '# Written by handover. To undo: handover rollback.\n[Unit]\n')
  standInQemu(programs, {})
  program('systemd-notify', 'echo "$@" >> "$folder/told"')
  process.env['PATH'] = `${programs}:${path}`
  system = { ...host.system, env: (name) => (name === 'NOTIFY_SOCKET' ? '/run/notify' : undefined) }
})
afterEach(async () => {
  for (const vm of runningVms(system)) {
    system.signal(vm.pid, 'SIGKILL')
    await engine.stop(system, vm, 0)
  }
  process.env['PATH'] = path
  host.end()
})

function program(name: string, body: string): void {
  const text = `#!/bin/sh\nfolder=${programs}\necho "${name} $*" >> "$folder/calls"\n${body}\n`
  fs.writeFileSync(join(programs, name), text, { mode: 0o755 })
}
const lines = (name: string) => {
  const file = join(programs, name)
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8').trimEnd().split('\n') : []
}
const names = () => runningVms(system).map(({ name }) => name)
const shown = (active: string, restarts = 0) =>
  ['firewall', 'media'].map(
    (vm) =>
      `Id=handover-vm@${vm}.service\\nActiveState=${active}\\nSubState=x\\nResult=success\\n` +
      `NRestarts=${restarts}\\nStatusText=a=b`,
  )
const systemctl = (body: string, show = shown('active').join('\\n\\n')) =>
  program('systemctl', `case "$1" in show) printf '${show}\\n' ;; *) ${body} ;; esac`)
async function run(vm: string): Promise<UnitEvent[]> {
  const events: UnitEvent[] = []
  await runUnit(system, vm, (event) => events.push(event))
  return events
}

describe('the service of a VM', () => {
  it('starts that VM alone, and names its process to systemd', async () => {
    systemctl('exit 1')
    const events = await run('firewall')
    expect(events.map(({ kind, vm }) => `${kind} ${vm}`)).toEqual(['starting firewall', 'started firewall'])
    expect(names()).toEqual(['firewall'])
    const [vm] = runningVms(system)
    expect(lines('told')).toEqual(['--status starts firewall', `--ready --status up MAINPID=${vm?.pid}`])
  })

  it('waits for what the VM needs', async () => {
    systemctl('exit 1')
    const events: UnitEvent[] = []
    const media = runUnit(system, 'media', (event) => events.push(event))
    await system.sleep(600)
    expect(names()).toEqual([])
    expect(events).toEqual([{ kind: 'needs', vm: 'media', needs: ['firewall'] }])
    expect(lines('told')).toEqual(['--status waits for firewall'])
    await run('firewall')
    await media
    expect(names()).toEqual(['firewall', 'media'])
  })

  it('gives up where what the VM needs does not come, and starts nothing', async () => {
    systemctl('exit 1')
    let hours = 0
    const late: System = { ...system, now: () => new Date((hours += 1) * 3_600_000) }
    await expect(runUnit(late, 'media', () => undefined)).rejects.toThrow(
      'media needs firewall, which is not up after 60 s (it does not run)',
    )
    expect(names()).toEqual([])
  })

  it('pauses before it starts a VM that died, longer each time, and shows its last lines', async () => {
    systemctl('exit 1', shown('activating', 2).join('\\n\\n'))
    put(host.root, vmFiles(system, 'firewall').serialLog.replace(host.root, ''), 'Kernel panic\u001b[2J\n')
    const slept: number[] = []
    system = {
      ...system,
      sleep: (ms) => (ms > 1000 ? (slept.push(ms), Promise.resolve()) : host.system.sleep(ms)),
    }
    const [ended, pause] = await run('firewall')
    expect(ended).toEqual({ kind: 'ended-before', vm: 'firewall', restarts: 2, said: 'Kernel panic[2J' })
    expect(pause).toEqual({ kind: 'pause', vm: 'firewall', seconds: 4 })
    expect(slept).toEqual([4000])
    expect([1, 2, 3, 6, 7, 8, 1e9].map(pauseSeconds)).toEqual([2, 4, 8, 64, 120, 120, 120])
  })

  it('does not start a VM whose device is not as the plan left it', async () => {
    systemctl('exit 1')
    fs.rmSync(join(host.root, 'sys/bus/pci/devices/0000:01:00.0/driver'))
    await expect(run('firewall')).rejects.toThrow('0000:01:00.0: its driver is none, not vfio-pci')
    expect(names()).toEqual([])
    expect(lines('told')).toEqual(['--status starts firewall'])
  })

  it('stops that VM, asks systemd nothing, and has nothing to do where it ended by itself', async () => {
    systemctl('exit 1')
    await run('firewall')
    const stop = () =>
      stopVms(system, { vms: ['firewall'], timeoutSeconds: 5, asService: true }, () => undefined)
    fs.rmSync(join(programs, 'calls'))
    expect((await stop()).map(({ vm, how }) => `${vm} ${how}`)).toEqual(['firewall powered off'])
    expect(await stop()).toEqual([])
    expect(lines('calls')).toEqual([])
  })
})

describe('a person on a host whose VMs are services', () => {
  it('starts them through systemd, each when the one before is up', async () => {
    // What the unit does: the tree's own program is not installed there.
    systemctl(
      'test "$1" = start || exit 0; echo "$2" >> "$folder/started"; until test -e "$folder/go"; do sleep 0.05; done',
    )
    const events: UpEvent[] = []
    const up = startVms(system, { vms: ['media'] }, (event) => events.push(event))
    await system.sleep(500)
    expect(lines('started')).toEqual(['handover-vm@firewall.service'])
    await run('firewall')
    await run('media')
    fs.writeFileSync(join(programs, 'go'), '')
    await up
    expect(events.filter(({ kind }) => kind !== 'waiting').map(({ kind, vm }) => `${kind} ${vm}`)).toEqual([
      'starting firewall',
      'started firewall',
      'running-already media',
    ])
    expect(lines('calls').filter((call) => call.startsWith('systemctl d'))).toEqual([
      'systemctl daemon-reload',
    ])
  })

  it('hears why a service did not start its VM', async () => {
    systemctl('test "$1" = daemon-reload')
    program('journalctl', 'echo "no such disk"')
    await expect(startVms(system, { vms: ['firewall'] }, () => undefined)).rejects.toMatchObject({
      message: 'the service of firewall did not start it',
      help: expect.stringContaining('    no such disk\n') as string,
    })
  })

  it('stops their services before the VMs, so that none is started again', async () => {
    systemctl('exit 0')
    await run('firewall')
    fs.rmSync(join(programs, 'calls'))
    const stopped: Stopped[] = []
    await stopVms(system, { vms: ['firewall'], timeoutSeconds: 5 }, (one) => stopped.push(one))
    expect(stopped.map(({ vm, how }) => `${vm} ${how}`)).toEqual(['firewall powered off'])
    expect(lines('calls').at(-1)).toBe('systemctl stop --no-block handover-vm@firewall.service')
  })

  it('ends a service that waits to start its VM again', async () => {
    systemctl('exit 0', shown('activating').join('\\n\\n'))
    const stopped = await stopVms(system, { vms: [], timeoutSeconds: 5 }, () => undefined)
    expect(stopped.map(({ vm, how }) => `${vm} ${how}`)).toEqual([
      'firewall start given up',
      'media start given up',
    ])
  })

  it('sees the state of each', async () => {
    const live: System = { ...system, live: true }
    const states = async (active: string) => {
      systemctl('exit 0', shown(active, 2).join('\\n\\n'))
      return (await vmStatus(live)).map(({ name, state }) => `${name} ${state}`)
    }
    expect(await states('activating')).toEqual(['firewall waiting', 'media waiting'])
    expect(await states('failed')).toEqual(['firewall failed', 'media failed'])
    expect(await states('inactive')).toEqual(['firewall stopped', 'media stopped'])
    systemctl('exit 0', shown('active').join('\\n\\n'))
    await run('firewall')
    expect(await states('active')).toEqual(['firewall running', 'media stopped'])
    expect(await states('activating')).toEqual(['firewall starting', 'media waiting'])
    expect(await states('deactivating')).toEqual(['firewall stopping', 'media stopping'])
    const [firewall] = await vmStatus(live)
    expect(firewall?.service).toMatchObject({ said: 'a=b', restarts: 2 })
    // A tree that only looks like a machine has no services.
    expect((await vmStatus(system)).map(({ service }) => service)).toEqual([undefined, undefined])
  })

  it('explains why one ended, by its last words', async () => {
    const said =
      'qemu-system-x86_64: -device vfio-pci,host=0000:01:00.0: vfio 0000:01:00.0: group 14 is not viable\n'
    put(host.root, '/run/handover/vm/firewall/qemu.log', said)
    const [firewall, media] = await vmStatus(system)
    expect(firewall?.cause?.cause).toMatch(/group/)
    expect(firewall?.cause?.remedy[0]).not.toBe('')
    expect(media).not.toHaveProperty('cause')
  })

  it('reads what systemd says of them', async () => {
    systemctl('exit 0', shown('failed', 3).join('\\n\\n'))
    expect((await readServices(system, ['firewall', 'ghost'])).get('firewall')).toEqual({
      ...{ active: 'failed', sub: 'x', result: 'success', restarts: 3, said: 'a=b' },
    })
    put(host.root, vmDropInPath('media'), "# somebody else's\n")
    expect([hasService(system, 'firewall'), hasService(system, 'media')]).toEqual([true, false])
    fs.rmSync(join(host.root, 'run/systemd'), { recursive: true })
    expect(hasService(system, 'firewall')).toBe(false)
  })
})
