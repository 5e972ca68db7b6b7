/**
 * One lab run from beginning to end: tools, images, the virtual host, its story, the result. Whatever
 * happens, no process and no run folder is left behind.
 */
import { acceleratorWords } from '../base/accelerator.ts'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { AppError, exitCode, UsageError } from '../base/errors.ts'
import type { System } from '../machine/system.ts'
import { chooseAccelerator, type Accelerator } from '../engines/qemu/accelerator.ts'
import { hostArgs, type HostBoot } from './host-args.ts'
import { hostImage } from './host-image.ts'
import { labKernel } from '../images/kernel.ts'
import { gdbSocketName, startLabHost, type LabHost } from './lab-host.ts'
import { checkDisks, checkFileSystems, hashDisks } from './media-checks.ts'
import { mediaDisks, type MediaDisks } from './media-disks.ts'
import { runFailureStory } from './installed/failure-story.ts'
import { runPackageStory } from './installed/package-story.ts'
import { runPowerCutStory } from './installed/power-cut-story.ts'
import { prepareInstalled } from './installed/prepare.ts'
import { restartSeconds, runRebootStory } from './installed/reboot-story.ts'
import { labOverlay } from './overlay.ts'
import { inspectStory } from './inspect-story.ts'
import { LabLog, type LabEvent, type LabResult } from './result.ts'
import { runStory, type StoryOutcome } from './story.ts'
import type { Topology } from './topology.ts'

export type LabRequest = {
  readonly topology: Topology
  readonly topologyFile: string
  readonly cache: string
  readonly colour: boolean
  /** Keep the run folder (consoles, pictures) and report its path. */
  readonly keep: boolean
  /**
   * Ends the run early (Ctrl-C): the host is stopped, the run folder is removed, and an AppError with code
   * 130 is thrown.
   */
  readonly signal: AbortSignal
}

/**
 * The lab's result, the virtual host as a capture, who owned what, and the passed-through display as PNG when
 * there was one.
 */
export type LabOutcome = {
  readonly result: LabResult
  readonly capture: string
  readonly owners: Readonly<Record<string, string>>
  readonly picture: Uint8Array | undefined
}

const runPrefix = 'handover-lab-run'

export async function runLab(
  system: System,
  request: LabRequest,
  report: (event: LabEvent) => void,
): Promise<LabOutcome> {
  const now = () => system.now().getTime()
  const log = new LabLog(report, now)
  system.work.removeStaleRunFolders(runPrefix)
  checkMemory(system, request.topology)
  const folder = system.work.makeRunFolder(runPrefix)
  let host: LabHost | undefined
  const stopEarly = () => void host?.stop()
  request.signal.addEventListener('abort', stopEarly)
  try {
    return await runIn({ system, request, folder, log, report, begun: now() }, (started) => {
      host = started
    })
  } catch (error) {
    if (request.signal.aborted)
      throw new AppError('the lab was interrupted; nothing of it is left', { exitCode: exitCode.interrupted })
    throw error
  } finally {
    await host?.stop()
    request.signal.removeEventListener('abort', stopEarly)
    if (request.keep) report({ kind: 'note', text: `the run folder is kept: ${folder}` })
    else system.work.removeTree(folder)
  }
}

type Run = {
  readonly system: System
  readonly request: LabRequest
  readonly folder: string
  readonly log: LabLog
  readonly report: (event: LabEvent) => void
  /** Milliseconds. */
  readonly begun: number
}

/** `onStart` gets the host as soon as it runs, so that an interrupted run can end it. */
async function runIn(run: Run, onStart: (host: LabHost) => void): Promise<LabOutcome> {
  const { system, request, folder, log, report } = run
  const { topology } = request
  const say = (text: string) => report({ kind: 'note', text })
  const prepared = await log.phase('prepare images', () => prepare(system, request, folder, say))
  const accelerator = await chooseAccelerator(system)
  say(`virtual host under ${acceleratorWords(accelerator.kind)}: ${accelerator.why}`)
  const page = `the lab's internet says hello, ${randomBytes(8).toString('hex')}`
  system.work.putFile(join(folder, 'www/index.html'), `${page}\n`)
  const argv = argsIn(run, prepared, accelerator)
  request.signal.throwIfAborted()
  const start = async () => {
    const started = await startLabHost(system, argv, folder, bootSeconds(topology), request.signal)
    onStart(started)
    return started
  }
  let host = await log.phase('boot the host', start)
  const cutPower = async () => {
    await host.cutPower()
    host = await start()
    return host
  }
  const hashes = hashDisks(system, prepared.media)
  const outcome = await runStoryOf(run, { host, cutPower, page, media: prepared.media.files })
  const kernel = prepared.kernelRelease ?? (await host.run('uname -r')).lines[0] ?? ''
  await log.phase('stop the host', () => host.stop())
  if (topology.story === 'power-cut') await checkFileSystems(system, log, prepared.media)
  else if (prepared.media.images.size > 0) checkDisks(log, hashes, hashDisks(system, prepared.media))
  const { guestAccelerator, ...seen } = outcome
  return { result: resultOf(run, { accelerator, kernel, host, guestAccelerator }), ...seen }
}

function argsIn({ request, folder }: Run, { boot, media }: Prepared, accelerator: Accelerator): string[] {
  const files = {
    ...{ boot, disks: media.images, consoleLog: join(folder, 'console.log') },
    ...{ agentSocket: join(folder, 'agent.sock'), qmpSocket: join(folder, 'qmp.sock') },
    gdbSocket: join(folder, gdbSocketName),
    internetCommand: `busybox httpd -i -h ${join(folder, 'www')}`,
  }
  return hostArgs(request.topology, files, accelerator.kind)
}

type Outcome = StoryOutcome & { readonly picture: Uint8Array | undefined }

type StoryGiven = {
  readonly host: LabHost
  readonly cutPower: () => Promise<LabHost>
  readonly page: string
  readonly media: MediaDisks['files']
}

async function runStoryOf(run: Run, given: StoryGiven): Promise<Outcome> {
  const { system, request, folder, log } = run
  const { topology, colour } = request
  const typist = { host: given.host, log, colour }
  const withoutVms = (capture: string): Outcome => ({
    capture,
    owners: {},
    guestAccelerator: null,
    picture: undefined,
  })
  switch (topology.story) {
    case 'reboot':
      return withoutVms(await runRebootStory(typist))
    case 'package':
      return withoutVms(await runPackageStory(typist))
    case 'reboot-failures': {
      const console = () => system.work.readFile(join(folder, 'console.log')).toString('latin1')
      return withoutVms(await runFailureStory(typist, console))
    }
    case 'power-cut':
      return withoutVms(await runPowerCutStory({ ...typist, ...given }))
    case 'inspect':
      return withoutVms(await inspectStory(given.host, log))
    case 'handover':
      return await runWithPicture(run, given)
  }
}

async function runWithPicture({ system, request, folder, log }: Run, given: StoryGiven): Promise<Outcome> {
  const { topology, colour } = request
  let picture: Uint8Array | undefined
  const screenshot = async () => {
    const shot = await takePicture(system, given.host, topology, folder)
    picture = shot.png
    return shot.ppm
  }
  const outcome = await runStory({ ...given, log, colour, screenshot })
  return { ...outcome, picture }
}

function resultOf(
  { system, request, log, begun }: Run,
  found: Pick<StoryOutcome, 'guestAccelerator'> & {
    readonly accelerator: Accelerator
    readonly kernel: string
    readonly host: LabHost
  },
): LabResult {
  const { accelerator, kernel, host } = found
  const { version } = host.qmp
  return {
    ...{
      schema: 1,
      topology: request.topology.name,
      accelerator: accelerator.kind,
      acceleratorWhy: accelerator.why,
    },
    guestAccelerator: found.guestAccelerator,
    ...{ kernel, qemu: `${version.major}.${version.minor}.${version.micro}` },
    ...{ phases: log.phases, checks: log.checks, measurements: log.measurements, session: log.session },
    seconds: (system.now().getTime() - begun) / 1000,
    ok: log.checks.length > 0 && log.checks.every((check) => check.result === 'pass'),
  }
}

/** A whole installation takes longer than the lab's own small system. */
function bootSeconds(topology: Topology): number {
  return topology.system === 'lab' ? 120 : restartSeconds
}

type Prepared = {
  readonly boot: HostBoot
  readonly media: MediaDisks
  readonly kernelRelease: string | undefined
}

async function prepare(
  system: System,
  request: LabRequest,
  folder: string,
  say: (text: string) => void,
): Promise<Prepared> {
  const cache = system.work.ensureFolder(request.cache)
  const { topology, topologyFile } = request
  const media = await mediaDisks(system, topology, folder)
  if (topology.system !== 'lab') {
    const what = { topology, topologyFile, kind: topology.system }
    const making = { cache, say, signal: request.signal }
    return { boot: await prepareInstalled(system, what, folder, making), media, kernelRelease: undefined }
  }
  const kernel = await labKernel(system, cache, say)
  const { rootDisk, initramfs } = await hostImage(
    system,
    kernel,
    cache,
    labOverlay(system, topology, topologyFile),
    say,
  )
  system.work.putFile(join(folder, 'initrd'), initramfs)
  const boot = {
    kind: 'kernel',
    kernel: kernel.vmlinux,
    initrd: join(folder, 'initrd'),
    disk: rootDisk,
  } as const
  return { boot, media, kernelRelease: kernel.release }
}

/**
 * Asks the outer QEMU for the picture on the display that was passed through, as PPM to compare and as PNG to
 * show.
 */
async function takePicture(
  system: System,
  host: LabHost,
  topology: Topology,
  folder: string,
): Promise<{ ppm: Uint8Array; png: Uint8Array | undefined }> {
  const port = topology.ports.findIndex((candidate) =>
    candidate.functions?.some((fn) => fn.device === 'bochs-display'),
  )
  const fn =
    topology.ports[port]?.functions?.findIndex((candidate) => candidate.device === 'bochs-display') ?? 0
  if (port < 0) return { ppm: new Uint8Array(), png: undefined }
  const shoot = async (format: string) => {
    const filename = join(folder, `screen.${format}`)
    await host.qmp.execute('screendump', { device: `rp${port + 1}f${fn}`, format, filename })
    return system.work.exists(filename) ? system.work.readFile(filename) : undefined
  }
  return { ppm: (await shoot('ppm')) ?? new Uint8Array(), png: await shoot('png') }
}

function checkMemory(system: System, topology: Topology): void {
  const text = system.readText('/proc/meminfo')
  const available = text.ok ? Number(/^MemAvailable:\s+(\d+) kB/m.exec(text.value)?.[1]) / 1024 : Number.NaN
  if (Number.isNaN(available) || available > topology.memory + 256) return
  throw new AppError(
    `the lab host needs ${topology.memory} MiB, and ${Math.floor(available)} MiB are available`,
    {
      help: 'free memory, or make the topology smaller (memory:)',
    },
  )
}

/** Reads a topology file; `UsageError` when it is not there. */
export function readTopologyText(system: System, path: string): string {
  if (system.work.exists(path)) return system.work.readFile(path).toString()
  throw new UsageError(`there is no topology ${path}`, 'the seed example is lab/home.yaml')
}
