/**
 * The lab's kernel: the distribution's own package, unpacked into the cache and never installed, so that the machine's boot
 * files stay as they are. Gives the uncompressed vmlinux (unpacking it under emulation costs seconds) and the modules.
 */
import { join } from 'node:path'
import { AppError } from '../errors.ts'
import type { System } from '../system/system.ts'
import { ensureFolder, exists, move, putFile, readFile, removeTree } from '../system/work-folder.ts'

export type LabKernel = {
  readonly release: string
  readonly vmlinux: string
  readonly modules: string
  readonly modulesDep: string
}

/** Finds the kernel in the cache or fetches it: `apt-get download`, `dpkg-deb -x`, no root needed. */
export async function labKernel(system: System, cache: string, say: (line: string) => void): Promise<LabKernel> {
  const marker = join(cache, 'kernel.json')
  if (exists(marker)) {
    const kernel = JSON.parse(readFile(marker).toString()) as { release: string }
    const found = kernelIn(cache, kernel.release)
    if (exists(found.vmlinux)) return found
  }
  const name = await packageName(system)
  say(`fetching the kernel from the distribution: ${name}`)
  const work = join(cache, 'kernel-work')
  removeTree(work)
  ensureFolder(work)
  await run(
    system,
    ['sh', '-c', 'cd "$1" && apt-get download -q "$2"', 'sh', work, name],
    'could the package lists be old? run: apt-get update',
  )
  await run(system, ['sh', '-c', 'dpkg-deb -x "$1"/*.deb "$1"/root', 'sh', work])
  const release = name.replace(/^linux-image-/, '').replace(/-unsigned$/, '')
  await run(system, ['depmod', '-b', join(work, 'root'), release])
  const vmlinux = await unpackKernel(system, readFile(join(work, 'root/boot', `vmlinuz-${release}`)), work)
  const folder = join(cache, 'kernel', release)
  removeTree(folder)
  move(vmlinux, join(folder, 'vmlinux'))
  move(join(work, 'root/lib/modules', release), join(folder, 'modules'))
  removeTree(work)
  putFile(marker, JSON.stringify({ release }))
  return kernelIn(cache, release)
}

function kernelIn(cache: string, release: string): LabKernel {
  const folder = join(cache, 'kernel', release)
  const modules = join(folder, 'modules')
  const dep = join(modules, 'modules.dep')
  return { release, vmlinux: join(folder, 'vmlinux'), modules, modulesDep: exists(dep) ? readFile(dep).toString() : '' }
}

/** `linux-image-amd64` depends on the one package that holds the current kernel. */
async function packageName(system: System): Promise<string> {
  const shown = await system.exec(['apt-cache', 'depends', '--important', 'linux-image-amd64'], { timeoutSeconds: 60 })
  const name = /Depends: (linux-image-[\w.+-]+)/.exec(shown.stdout)?.[1]
  if (name !== undefined) return name
  throw new AppError('the distribution offers no package linux-image-amd64, which the lab takes its kernel from', {
    help: 'refresh the package lists: apt-get update',
  })
}

/**
 * A bzImage carries the ELF kernel compressed, at payload_offset and payload_length after the setup sectors
 * (Documentation/x86/boot.rst). Debian 12 uses xz, newer kernels zstd.
 */
async function unpackKernel(system: System, image: Buffer, work: string): Promise<string> {
  const setupSectors = image.readUInt8(0x1f1) || 4
  const start = (setupSectors + 1) * 512 + image.readUInt32LE(0x248)
  const payload = image.subarray(start, start + image.readUInt32LE(0x24c))
  const program =
    payload.readUInt32BE(0) === 0xfd377a58 ? 'xz' : payload.readUInt32LE(0) === 0xfd2fb528 ? 'zstd' : undefined
  if (program === undefined) throw new AppError('the kernel image is compressed in a way the lab does not know')
  const packed = join(work, 'payload')
  // The last four bytes are the unpacked size, not part of the stream.
  putFile(packed, payload.subarray(0, payload.length - 4))
  await run(system, ['sh', '-c', `${program} -dc <"$1" >"$2"`, 'sh', packed, join(work, 'vmlinux')])
  return join(work, 'vmlinux')
}

async function run(system: System, argv: readonly string[], help?: string): Promise<void> {
  const result = await system.exec(argv, { timeoutSeconds: 300 })
  if (result.status === 0) return
  const said = result.stderr.trim().split('\n').at(-1) ?? ''
  throw new AppError(`${argv[0]} ended with status ${result.status}: ${said}`, help === undefined ? {} : { help })
}
