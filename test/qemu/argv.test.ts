import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { hostArgs } from '../../src/lab/host-args.ts'
import { parseTopology } from '../../src/lab/topology.ts'
import { parseSpec } from '../../src/spec/parse-spec.ts'
import { linuxSystem } from '../../src/machine/linux.ts'
import { workFolder } from '../../src/machine/work-folder.ts'
import { qemuArgs } from '../../src/engines/qemu/qemu-args.ts'
import { openQmp } from '../../src/engines/qemu/qmp.ts'
import { vmFiles, type VmFiles } from '../../src/engines/qemu/vm-files.ts'
import { lacks } from '../support/tools.ts'

const system = linuxSystem()

/** Starts QEMU with the arguments, asks it over QMP, ends it. Its complaint when it does not start. */
async function accepted(
  argv: readonly string[],
  socket: string,
  ask: (qmp: Awaited<ReturnType<typeof openQmp>>) => Promise<void>,
) {
  const running = await system.start(['qemu-system-x86_64', ...argv])
  try {
    let isOver = false
    void running.ended.then(() => (isOver = true))
    for (let waited = 0; waited < 20_000 && !workFolder.exists(socket) && !isOver; waited += 20)
      await system.sleep(20)
    if (!workFolder.exists(socket)) throw new Error(running.tail())
    const qmp = await openQmp(await system.connect(socket))
    await ask(qmp)
    qmp.close()
  } finally {
    await running.stop(100)
  }
}

function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'handover-argv-'))
  return work(folder).finally(() => rmSync(folder, { recursive: true, force: true }))
}

function sparse(path: string): string {
  writeFileSync(path, '')
  truncateSync(path, 1024 * 1024)
  return path
}

describe.skipIf(lacks('qemu-system-x86_64'))(
  'the real QEMU accepts our arguments (needs qemu-system-x86_64)',
  () => {
    it.each(['home', 'switches', 'amd'])('of the lab host %s', async (name) =>
      inFolder(async (folder) => {
        const file = `lab/${name}.yaml`
        const { topology, findings } = parseTopology(readFileSync(file, 'utf8'), file)
        if (!topology) throw new Error(JSON.stringify(findings))
        const disk = sparse(join(folder, 'disk.img'))
        const serials = topology.ports.flatMap((port) =>
          [
            port.functions,
            ...(port.switch ?? []).map((s) => s.functions),
            ...(port.bridge ?? []).map((b) => b.functions),
          ]
            .flatMap((functions) => functions ?? [])
            .flatMap((fn) => [fn.serial, ...(fn.disks ?? []).map((d) => d.serial)])
            .filter((serial) => serial !== undefined),
        )
        const argv = hostArgs(
          topology,
          {
            boot: { kind: 'kernel', kernel: '/dev/null', initrd: '/dev/null', disk },
            ...{ consoleLog: join(folder, 'console.log') },
            ...{
              agentSocket: join(folder, 'agent.sock'),
              qmpSocket: join(folder, 'qmp.sock'),
              gdbSocket: join(folder, 'gdb.sock'),
              internetCommand: 'true',
            },
            disks: new Map(serials.map((serial, index) => [serial, sparse(join(folder, `${index}.img`))])),
          },
          'tcg',
        ).filter(
          (arg, index, all) =>
            !['-kernel', '-initrd', '-append'].includes(arg) &&
            !['-kernel', '-initrd', '-append'].includes(all[index - 1] ?? ''),
        )
        await accepted([...argv, '-S'], join(folder, 'qmp.sock'), async (qmp) => {
          const buses = (await qmp.execute('query-pci')) as { devices: { qdev_id: string }[] }[]
          expect(buses[0]?.devices.filter((device) => device.qdev_id.startsWith('rp'))).toHaveLength(
            topology.ports.length,
          )
        })
      }),
    )

    it('of a VM with disks, an ISO, VNC and consoles', async () =>
      inFolder(async (folder) => {
        const iso = sparse(join(folder, 'installer.iso'))
        const disk = sparse(join(folder, 'disk.raw'))
        const text = `version: 1\nvms:\n  box:\n    cpus: 2\n    memory: 128 MiB\n    vnc: true\n    iso: ${iso}\n    disks: [{ path: ${disk}, format: raw, serial: BOX-1 }]\n`
        const vm = parseSpec(text, 'home.yaml').spec?.vms[0]
        if (!vm) throw new Error('the spec does not parse')
        const entries = Object.entries(vmFiles({}, 'box')).map(([key, path]) => [
          key,
          path.replace('/run/handover/vm/box', folder),
        ])
        const files = Object.fromEntries(entries) as VmFiles
        await accepted(
          qemuArgs({ vm, functions: [], files, firmware: { kind: 'bios' }, accelerator: 'tcg' }),
          files.qmp,
          async (qmp) => {
            expect(await qmp.execute('query-status')).toMatchObject({ status: 'prelaunch' })
            expect(await qmp.execute('query-vnc')).toMatchObject({ enabled: true })
            expect(await qmp.execute('query-chardev')).toEqual(
              expect.arrayContaining([expect.objectContaining({ label: 'report' })]),
            )
          },
        )
        expect(workFolder.exists(files.serialLog)).toBe(true)
      }))
  },
)
