/**
 * Starts and stops the QEMU process of a VM. The process outlives this program; a record is beside its
 * sockets.
 */
import type { AcceleratorKind } from '../../base/accelerator.ts'
import { defined } from '../../base/defined.ts'
import { AppError } from '../../base/errors.ts'
import { escapeOption } from '../../base/escape.ts'
import { explain } from '../../explain/explain.ts'
import type { VmSpec } from '../../spec/spec.ts'
import type { Running, System } from '../../machine/system.ts'
import type { AssignedFunction, Engine, Given, StopResult, VmRecord } from '../engine.ts'
import { chooseHugepageKiB } from './hugepages.ts'
import { checkLimits } from './limits.ts'
import { placesOf } from './places.ts'
import { cmdlineOf, isAlive, isQemuOf, readRecord, readStartTicks, running, type Stored } from './record.ts'
import { chooseFirmware } from './firmware.ts'
import { prepareDisks } from './disks.ts'
import { qemuArgs, tapName, type VmArgs } from './qemu-args.ts'
import { openQmp, QmpError, type QmpClient } from './qmp.ts'
import { qemuUser, withoutMemoryLimit } from './user.ts'
import { vmFiles, type VmFiles } from './vm-files.ts'

/** The oldest QEMU that the tests use (Debian 12). */
const oldestQemu = { major: 7, minor: 2 }

export const qemu: Engine = {
  name: 'qemu',
  offers: { report: true, console: true },
  version,
  check: (system, vm, { functions }) => checkLimits(system, vm, presentOf(functions).length > 0),
  start,
  running,
  stop,
  openConsole: (system, name) => system.connect(vmFiles(system, name).serial),
  consoleSocket: (system, name) => vmFiles(system, name).serial,
  openReport: (system, name) => system.connect(vmFiles(system, name).report),
  lastWords: (system, name, lines) => {
    const { serialLog, log } = vmFiles(system, name)
    return lastLines(system, serialLog, lines) || lastLines(system, log, lines)
  },
  places: async (system, name, functions) => {
    const qmp = await openVmQmp(system, name)
    try {
      return placesOf(await qmp.execute('query-pci'), functions)
    } finally {
      qmp.close()
    }
  },
}

async function version(system: System): Promise<string | undefined> {
  if (!system.live) return undefined
  try {
    const { stdout } = await system.exec(['qemu-system-x86_64', '--version'], { timeoutSeconds: 10 })
    return stdout.split('\n')[0] || undefined
  } catch (error) {
    // It is not installed.
    if (error instanceof AppError) return undefined
    throw error
  }
}

/**
 * Starts the VM paused, connects its networks, and lets it run. When a part of this fails, the process is
 * ended. /dev/kvm may exist and still not work (in a nested host or a restricted container), so a start that
 * fails because of KVM is repeated with software emulation.
 */
async function start(system: System, vm: VmSpec, { spec, functions }: Given): Promise<VmRecord> {
  const hugepageKiB = vm.hugepages ? chooseHugepageKiB(system, spec) : undefined
  const args = { functions, ...defined({ hugepageKiB }) }
  await prepareDisks(system, vm.disks)
  if (system.stat('/dev/kvm').ok) {
    try {
      return await startWith(system, vm, args, 'kvm')
    } catch (error) {
      if (!(error instanceof KvmError)) throw error
    }
  }
  return await startWith(system, vm, args, 'tcg')
}

function presentOf(functions: readonly AssignedFunction[]): AssignedFunction[] {
  return functions.filter(({ absent }) => absent !== true)
}

/** KVM does not work here; the VM itself may be correct. */
class KvmError extends AppError {}

async function startWith(
  system: System,
  vm: VmSpec,
  given: Pick<VmArgs, 'functions' | 'hugepageKiB'>,
  accelerator: AcceleratorKind,
): Promise<VmRecord> {
  const { functions } = given
  const files = vmFiles(system, vm.name)
  refuseSecond(system, vm.name)
  system.work.removeTree(files.folder)
  // The sockets in this folder give full control over the VM.
  system.work.ensureFolder(files.folder, 0o700)
  const process = await startProcess(system, { vm, ...given, files, accelerator })
  const record: VmRecord = {
    ...{ schema: 1, name: vm.name, pid: process.pid, accelerator, started: system.now().toISOString() },
    functions: presentOf(functions).map(({ role, address }) => ({ role, address })),
  }
  // Written before the start is complete: if this process is killed, the next start finds the QEMU it left.
  const stored = { ...record, ...defined({ startTicks: readStartTicks(system, process.pid) }) }
  system.work.putFile(files.record, JSON.stringify({ ...stored, starting: true }))
  try {
    const qmp = await openQmp(await waitForSocket(system, files, process.ended))
    checkVersion(qmp)
    for (const [index, network] of vm.networks.entries())
      await plugIn(system, tapName(vm.name, index), network.bridge)
    await qmp.execute('cont')
    qmp.close()
    system.work.putFile(files.record, JSON.stringify(stored))
    return record
  } catch (error) {
    const gaveUp = await Promise.race([process.ended.then(() => true), system.sleep(200).then(() => false)])
    const said = gaveUp ? lastLines(system, files.log, 3) : ''
    await process.stop(500)
    throw startError(error, { said, vm, accelerator })
  }
}

async function startProcess(system: System, given: Omit<VmArgs, 'firmware' | 'user'>): Promise<Running> {
  const user = qemuUser(system)
  const argv = qemuArgs({ ...given, firmware: chooseFirmware(system, given.vm), ...defined({ user }) })
  const command = [...(user === undefined ? [] : withoutMemoryLimit), 'qemu-system-x86_64', ...argv]
  return await system.start(command, { logFile: given.files.log, detached: true })
}

/** `said`: what QEMU printed before it ended, which names the cause; empty when it did not end by itself. */
function startError(
  error: unknown,
  { said, vm, accelerator }: { said: string; vm: VmSpec; accelerator: AcceleratorKind },
): unknown {
  if (said === '' || error instanceof QmpError) return error
  if (accelerator === 'kvm' && /\bkvm\b/i.test(said) && !/vfio/.test(said))
    return new KvmError(said, { cause: error })
  return new AppError(`QEMU did not start ${vm.name}: ${said}`, { help: helpFor(said), cause: error })
}

async function waitForSocket(system: System, files: VmFiles, ended: Promise<unknown>) {
  let isOver = false
  void ended.then(() => {
    isOver = true
  })
  for (let waited = 0; waited < 60_000; waited += 20) {
    if (isOver) break
    if (system.work.exists(files.qmp)) {
      try {
        return await system.connect(files.qmp)
      } catch (error) {
        // The file appears a moment before QEMU listens.
        if (!(error instanceof AppError)) throw error
      }
    }
    await system.sleep(20)
  }
  throw new AppError(
    isOver ? 'QEMU ended before it opened its control socket' : 'QEMU opened no control socket within 60 s',
  )
}

/** The cause and the first remedy, if explain/ knows the failure. */
function helpFor(said: string): string {
  const known = explain(said).find(({ severity }) => severity === 'error')
  return known === undefined
    ? 'the kernel may have reported more: journalctl -k -b | handover explain'
    : `${known.cause} What helps: ${known.remedy[0]}`
}

function checkVersion(qmp: QmpClient): void {
  const { major, minor } = qmp.version
  if (major > oldestQemu.major || (major === oldestQemu.major && minor >= oldestQemu.minor)) return
  throw new AppError(
    `this QEMU is ${major}.${minor}; ${oldestQemu.major}.${oldestQemu.minor} is the oldest that works`,
    {
      help: 'upgrade qemu-system-x86 from your distribution',
    },
  )
}

async function plugIn(system: System, tap: string, bridge: string): Promise<void> {
  for (const argv of [
    ['ip', 'link', 'set', tap, 'master', bridge],
    ['ip', 'link', 'set', tap, 'up'],
  ]) {
    const result = await system.exec(argv, { timeoutSeconds: 10 })
    if (result.status === 0) continue
    throw new AppError(
      `${tap} could not be added to ${bridge}: ${result.stderr.trim() || `status ${result.status}`}`,
      {
        help: `does ${bridge} exist? ip link show type bridge`,
      },
    )
  }
}

async function openVmQmp(system: System, name: string): Promise<QmpClient> {
  return await openQmp(await system.connect(vmFiles(system, name).qmp))
}

/**
 * A QEMU that does not answer in time is ended by signals; each signal is sent only while the process is
 * still this QEMU. Throws AppError when not even SIGKILL ends it.
 */
async function stop(system: System, vm: VmRecord, timeoutSeconds: number): Promise<StopResult> {
  const stored = readRecord(system, vm.name)
  const record = stored?.pid === vm.pid ? stored : vm
  const begun = system.now().getTime()
  const left = () => Math.max(0, timeoutSeconds - (system.now().getTime() - begun) / 1000)
  if (timeoutSeconds > 0) {
    await send(system, record.name, 'system_powerdown', left())
    if (await endsWithin(system, record, left())) return 'powered off'
  }
  if ((await send(system, record.name, 'quit', 1)) && (await endsWithin(system, record, 5)))
    return 'switched off'
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    if (isAlive(system, record)) system.signal(record.pid, signal)
    if (await endsWithin(system, record, 3)) return 'switched off'
  }
  throw new AppError(`${record.name} (process ${record.pid}) does not end, not even by SIGKILL`, {
    help:
      'it hangs inside the kernel, usually on a device: dmesg | tail; cat ' +
      `/proc/${record.pid}/stack; only a restart of the host ends it then`,
  })
}

/** Whether QEMU accepted the command in time. */
async function send(system: System, name: string, command: string, seconds: number): Promise<boolean> {
  try {
    const qmp = await openQmp(await system.connect(vmFiles(system, name).qmp), seconds)
    try {
      await qmp.execute(command, undefined, seconds)
    } finally {
      qmp.close()
    }
    return true
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return false
  }
}

/**
 * Throws when a QEMU of this VM runs without a readable record: it uses the disks and the sockets of the VM.
 */
function refuseSecond(system: System, name: string): void {
  const processes = system.list('/proc')
  const socket = escapeOption(vmFiles(system, name).qmp)
  const pid = (processes.ok ? processes.value : []).find(
    (one) => /^\d+$/.test(one) && isQemuOf(system, one, name) && cmdlineOf(system, one).includes(socket),
  )
  if (pid === undefined) return
  throw new AppError(`a QEMU of ${name} is already running (process ${pid}), and its record cannot be read`, {
    help: `if nobody needs it: kill ${pid}, then start ${name} again`,
  })
}

async function endsWithin(
  system: System,
  record: Pick<Stored, 'name' | 'pid' | 'startTicks'>,
  seconds: number,
): Promise<boolean> {
  for (let waited = 0; waited < seconds * 1000; waited += 50) {
    if (!isAlive(system, record)) return true
    await system.sleep(50)
  }
  return false
}

/** The last lines of a log; control characters are removed. */
function lastLines(system: System, path: string, count: number): string {
  if (!system.work.exists(path)) return ''
  const text = system.work
    .readEnd(path, 16_384)
    .toString('latin1')
    .replaceAll(/[^\x20-\x7e\n]/g, '')
  return text.trimEnd().split('\n').slice(-count).join('\n')
}
