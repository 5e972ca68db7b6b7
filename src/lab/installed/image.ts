/**
 * The disk of an installed lab host: a whole Debian with its boot loader, made once and kept in the cache.
 * Runs write to a snapshot of it. The boot loader is put there by its own installer, in a first boot whose
 * kernel comes from outside.
 */
import type { AcceleratorKind } from '../../base/accelerator.ts'
import { join } from 'node:path'
import { AppError } from '../../base/errors.ts'
import type { System } from '../../machine/system.ts'
import { chooseAccelerator } from '../../engines/qemu/accelerator.ts'
import { bareMachine } from '../../engines/qemu/bare-machine.ts'
import { cached, keyOf, programKey } from '../../images/cache.ts'
import { treeKey } from '../../images/file-tree.ts'
import { tail } from '../lab-host.ts'
import { firmwareArgs, firmwareKey } from './machine-args.ts'
import { fillInstalledTree, ownTree, packagesArgs, packageVersions } from './tree.ts'
import type { DiskPlace, InstalledSystem } from './systems.ts'

/** `variables`: the memory of UEFI firmware, with the boot entry the installer made. */
export type InstalledImage = { readonly disk: string; readonly variables?: string }

/** A first boot takes one to two minutes under software emulation. */
const installSeconds = 900

export type MakingImage = {
  readonly cache: string
  readonly say: (line: string) => void
  /** Ends the installation early: its files are removed, and an error is thrown. */
  readonly signal: AbortSignal
}

export async function installedImage(
  system: System,
  installed: InstalledSystem,
  { cache, say, signal }: MakingImage,
): Promise<InstalledImage> {
  const entry = { kind: `installed/${installed.kind}`, key: await imageKey(system, installed) }
  const folder = await cached(system, cache, entry, async (draft) => {
    const work = system.work.makeRunFolder('handover-lab-install')
    try {
      const place = { tree: join(work, 'tree'), disk: join(work, 'disk.img'), work }
      await fillInstalledTree(system, installed, place.tree, { say, signal })
      signal.throwIfAborted()
      await makeDisk(system, installed, place)
      say('first boot of the new system: its boot loader installs itself')
      await installLoader(system, installed, place, signal)
      if (installed.firmware === 'uefi') system.work.copyFile(join(work, 'vars.fd'), join(draft, 'vars.fd'))
      await run(system, ['cp', '--sparse=always', place.disk, join(draft, 'disk.img')])
    } finally {
      system.work.removeTree(work)
    }
  })
  const variables = installed.firmware === 'uefi' ? { variables: join(folder, 'vars.fd') } : {}
  return { disk: join(folder, 'disk.img'), ...variables }
}

/**
 * The cache key: a hash of everything that goes into the image (packages, files of the lab, commands, and the
 * programs that run them).
 */
async function imageKey(system: System, installed: InstalledSystem): Promise<string> {
  const { kind } = await chooseAccelerator(system)
  return keyOf([
    ...packagesArgs(system, installed, { tree: 'tree', lab: 'lab' }),
    await packageVersions(system, installed),
    treeKey(system, ownTree(system, installed)),
    ...['mmdebstrap', 'sfdisk', 'mke2fs', 'mkfs.vfat', 'qemu-system-x86_64'].map((name) =>
      programKey(system, name),
    ),
    ...installed.partitions,
    ...installed.places.flatMap((place) => partitionArgs(place, 'tree', 'disk')),
    ...loaderArgs(kind, { kernel: 'kernel', initrd: 'initrd', disk: 'disk', console: 'console' }),
    firmwareKey(system, installed),
  ])
}

type ImagePaths = { readonly tree: string; readonly disk: string; readonly work: string }

async function makeDisk(
  system: System,
  installed: InstalledSystem,
  { tree, disk }: ImagePaths,
): Promise<void> {
  const end = Math.max(...installed.places.map(({ startMiB, sizeMiB }) => startMiB + sizeMiB))
  // A MiB more for the copy of the partition table at the end of a GPT disk.
  system.work.putSparseFile(disk, end + 1)
  const table = await system.exec(['sfdisk', '--quiet', disk], {
    input: `${installed.partitions.join('\n')}\n`,
    timeoutSeconds: 60,
  })
  if (table.status !== 0) throw new AppError(`sfdisk ended with ${table.status}: ${table.stderr.trim()}`)
  for (const place of installed.places) await run(system, partitionArgs(place, tree, disk))
}

/** The command that makes one file system inside the disk. */
function partitionArgs({ label, startMiB, sizeMiB }: DiskPlace, tree: string, disk: string): string[] {
  if (label !== 'labroot')
    return [
      ...['mkfs.vfat', '-F', '32', '-n', label, `--offset=${startMiB * 2048}`, disk],
      String(sizeMiB * 1024),
    ]
  const offset = startMiB * 1024 * 1024
  return [
    ...['mke2fs', '-q', '-t', 'ext4', '-L', label, '-E', `offset=${offset}`, '-d', tree, disk, `${sizeMiB}M`],
  ]
}

type FirstBoot = Readonly<Record<'kernel' | 'initrd' | 'disk' | 'console', string>>

function loaderArgs(accelerator: AcceleratorKind, { kernel, initrd, disk, console }: FirstBoot): string[] {
  return [
    ...['qemu-system-x86_64', ...bareMachine(accelerator), '-no-reboot', '-smp', '2', '-m', '1536'],
    ...['-serial', `file:${console}`, '-kernel', kernel, '-initrd', initrd],
    ...['-append', 'root=LABEL=labroot console=ttyS0 mitigations=off no_timer_check lab.install'],
    ...[
      '-drive',
      `if=none,id=boot,format=raw,cache=unsafe,file=${disk}`,
      '-device',
      'ide-hd,drive=boot,bus=ide.0',
    ],
  ]
}

/**
 * The kernel and the initramfs that the packages made start the disk once; from then on it starts by itself.
 */
async function installLoader(
  system: System,
  installed: InstalledSystem,
  place: ImagePaths,
  signal: AbortSignal,
): Promise<void> {
  const boot = join(place.tree, 'boot')
  const find = (prefix: string) => system.work.listFiles(boot).find((name) => name.startsWith(prefix))
  const [kernel, initrd] = [find('vmlinuz-'), find('initrd.img-') ?? find('initramfs-')]
  if (kernel === undefined || initrd === undefined)
    throw new AppError('the packages of the lab host made no kernel or no initramfs', {
      help: `looked into ${boot}`,
    })
  const console = join(place.work, 'console.log')
  const files = { kernel: join(boot, kernel), initrd: join(boot, initrd), disk: place.disk, console }
  const argv = [
    ...loaderArgs((await chooseAccelerator(system)).kind, files),
    ...firmwareArgs(system, installed, join(place.work, 'vars.fd')),
  ]
  signal.throwIfAborted()
  const running = await system.start(argv)
  const end = await endOf(running.ended, signal)
  if (end !== 'ended') await running.stop(0)
  signal.throwIfAborted()
  const said = system.work.exists(console) ? system.work.readFile(console).toString('latin1') : ''
  if (end !== 'ended' || !said.includes('lab: installed'))
    throw new AppError('the boot loader of the lab host could not be installed', {
      help: `its last words:\n${wordsOfInstaller(said) || tail(system, console) || running.tail()}`,
    })
}

/** The lines of the installing unit, without those of the shutdown. */
function wordsOfInstaller(console: string): string {
  const lines = console.split('\n').filter((line) => /\bsh\[\d+\]: /.test(line))
  return lines
    .slice(-12)
    .map((line) => `    ${line.trim()}`)
    .join('\n')
}

/** The timer is cleared, because a running timer keeps Node from exiting. */
async function endOf(ended: Promise<unknown>, signal: AbortSignal): Promise<'ended' | 'late' | 'aborted'> {
  let timer: NodeJS.Timeout | undefined
  let stop = () => {}
  const late = new Promise<'late' | 'aborted'>((done) => {
    timer = setTimeout(() => done('late'), installSeconds * 1000)
    stop = () => done('aborted')
  })
  signal.addEventListener('abort', stop)
  try {
    return await Promise.race([ended.then(() => 'ended' as const), late])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
  }
}

async function run(system: System, argv: readonly string[]): Promise<void> {
  const result = await system.exec(argv, { timeoutSeconds: 300 })
  if (result.status !== 0)
    throw new AppError(`${argv[0]} ended with ${result.status}: ${result.stderr.trim()}`)
}
