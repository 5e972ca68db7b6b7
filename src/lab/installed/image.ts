/**
 * The disk of an installed lab host: a whole Debian with its boot loader, made once and kept in the cache. Runs write to a
 * snapshot of it. The boot loader is put there by its own installer, in a first boot whose kernel comes from outside.
 */
import { join } from 'node:path'
import { AppError } from '../../errors.ts'
import type { System } from '../../system/system.ts'
import {
  copyFile,
  ensureFolder,
  exists,
  fileStamp,
  listFiles,
  makeRunFolder,
  move,
  putSparseFile,
  readFile,
  removeTree,
  sha256,
} from '../../system/work-folder.ts'
import { chooseAccelerator } from '../accelerator.ts'
import { bareMachine } from '../bare-machine.ts'
import { tail } from '../lab-host.ts'
import { firmwareArgs } from './machine-args.ts'
import { fillInstalledTree, ownTexts } from './tree.ts'
import type { InstalledSystem } from './systems.ts'

/** `variables`: the memory of UEFI firmware, with the boot entry the installer made. */
export type InstalledImage = { readonly disk: string; readonly variables?: string }

/** Raise it when the layout of the disk changes. */
const layout = 1

/** A first boot takes one to two minutes under software emulation. */
const installSeconds = 900

export type MakingImage = {
  readonly cache: string
  readonly say: (line: string) => void
  /** Ends it early: what was begun is cleared away, and an error is thrown. */
  readonly signal: AbortSignal
}

export async function installedImage(
  system: System,
  installed: InstalledSystem,
  { cache, say, signal }: MakingImage,
): Promise<InstalledImage> {
  const parts = [String(layout), JSON.stringify(installed), fileStamp(process.execPath), ...ownTexts(installed)]
  const folder = ensureFolder(join(cache, 'installed'))
  const name = `${installed.kind}-${sha256(parts.join('\n')).slice(0, 16)}`
  const disk = join(folder, `${name}.img`)
  const variables = installed.firmware === 'uefi' ? { variables: join(folder, `${name}.vars`) } : {}
  if (exists(disk)) return { disk, ...variables }
  const work = makeRunFolder('handover-lab-install')
  try {
    const tree = join(work, 'tree')
    await fillInstalledTree(system, installed, tree, { say, signal })
    signal.throwIfAborted()
    const draft = join(work, 'disk.img')
    await makeDisk(system, installed, { tree, disk: draft, work })
    say('first boot of the new system: its boot loader installs itself')
    await installLoader(system, installed, { tree, disk: draft, work }, signal)
    for (const old of listFiles(folder)) if (old.startsWith(installed.kind)) removeTree(join(folder, old))
    if (variables.variables !== undefined) copyFile(join(work, 'vars.fd'), variables.variables)
    await run(system, ['cp', '--sparse=always', draft, `${disk}.part`])
    move(`${disk}.part`, disk)
    return { disk, ...variables }
  } finally {
    removeTree(work)
  }
}

type Place = { readonly tree: string; readonly disk: string; readonly work: string }

async function makeDisk(system: System, installed: InstalledSystem, { tree, disk }: Place): Promise<void> {
  const end = Math.max(...installed.places.map(({ startMiB, sizeMiB }) => startMiB + sizeMiB))
  // A MiB more for the copy of the partition table at the end of a GPT disk.
  putSparseFile(disk, end + 1)
  const table = await system.exec(['sfdisk', '--quiet', disk], {
    input: `${installed.partitions.join('\n')}\n`,
    timeoutSeconds: 60,
  })
  if (table.status !== 0) throw new AppError(`sfdisk ended with ${table.status}: ${table.stderr.trim()}`)
  for (const { label, startMiB, sizeMiB } of installed.places) {
    const offset = startMiB * 1024 * 1024
    if (label === 'labroot')
      await run(system, [
        ...['mke2fs', '-q', '-t', 'ext4', '-L', label, '-E', `offset=${offset}`],
        ...['-d', tree, disk, `${sizeMiB}M`],
      ])
    else
      await run(system, [
        ...['mkfs.vfat', '-F', '32', '-n', label, `--offset=${startMiB * 2048}`, disk, String(sizeMiB * 1024)],
      ])
  }
}

/** The kernel and the initramfs that the packages made start the disk once; from then on it starts by itself. */
async function installLoader(
  system: System,
  installed: InstalledSystem,
  place: Place,
  signal: AbortSignal,
): Promise<void> {
  const boot = join(place.tree, 'boot')
  const find = (prefix: string) => listFiles(boot).find((name) => name.startsWith(prefix))
  const [kernel, initrd] = [find('vmlinuz-'), find('initrd.img-') ?? find('initramfs-')]
  if (kernel === undefined || initrd === undefined)
    throw new AppError('the packages of the lab host made no kernel or no initramfs', { help: `looked into ${boot}` })
  const console = join(place.work, 'console.log')
  const argv = [
    ...['qemu-system-x86_64', ...bareMachine((await chooseAccelerator(system)).kind), '-no-reboot'],
    ...['-smp', '2', '-m', '1536'],
    ...['-serial', `file:${console}`, '-kernel', join(boot, kernel), '-initrd', join(boot, initrd)],
    ...['-append', 'root=LABEL=labroot console=ttyS0 mitigations=off no_timer_check lab.install'],
    ...[
      '-drive',
      `if=none,id=boot,format=raw,cache=unsafe,file=${place.disk}`,
      '-device',
      'ide-hd,drive=boot,bus=ide.0',
    ],
    ...firmwareArgs(installed, join(place.work, 'vars.fd')),
  ]
  signal.throwIfAborted()
  const running = await system.start(argv)
  const end = await endOf(running.ended, signal)
  if (end !== 'ended') await running.stop(0)
  signal.throwIfAborted()
  const said = exists(console) ? readFile(console).toString('latin1') : ''
  if (end !== 'ended' || !said.includes('lab: installed'))
    throw new AppError('the boot loader of the lab host could not be installed', {
      help: `its last words:\n${wordsOfInstaller(said) || tail(console) || running.tail()}`,
    })
}

/** What the installing unit said, without what the system says as it goes down. */
function wordsOfInstaller(console: string): string {
  const lines = console.split('\n').filter((line) => /\bsh\[\d+\]: /.test(line))
  return lines
    .slice(-12)
    .map((line) => `    ${line.trim()}`)
    .join('\n')
}

/** A clock that goes on would keep the whole command from ending. */
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
  if (result.status !== 0) throw new AppError(`${argv[0]} ended with ${result.status}: ${result.stderr.trim()}`)
}
