/**
 * The lab's kernel: the distribution's own package, unpacked into the cache and never installed, so that the
 * machine's boot files stay as they are. Gives the uncompressed vmlinux (unpacking it under emulation costs
 * seconds) and the modules.
 */
import { join } from 'node:path'
import { z } from 'zod'
import { AppError } from '../base/errors.ts'
import type { System } from '../machine/system.ts'
import { cached, keyOf } from './cache.ts'

export type LabKernel = {
  readonly release: string
  readonly vmlinux: string
  readonly modules: string
  readonly modulesDep: string
}

/** Raise this number when other files of the package are kept, or when they are unpacked in another way. */
const form = 1

const chosenSchema = z.object({
  release: z.string().regex(/^[\w.+-]{1,64}$/),
  key: z.string().regex(/^[\w.+-]{1,128}$/),
})

type Chosen = Readonly<z.infer<typeof chosenSchema>>

/**
 * The kernel chosen last. Without one, the newest of the distribution, by `apt-get download` and `dpkg-deb
 * -x`, which need no root.
 */
export async function labKernel(
  system: System,
  cache: string,
  say: (line: string) => void,
): Promise<LabKernel> {
  return chosenKernel(system, cache) ?? (await newestKernel(system, cache, say))
}

/**
 * The distribution's newest kernel, chosen from now on. Where the package lists name none, the kernel chosen
 * last stays.
 */
export async function newestKernel(
  system: System,
  cache: string,
  say: (line: string) => void,
): Promise<LabKernel> {
  const name = await packageName(system)
  const known = name === undefined ? undefined : await packageFacts(system, name)
  if (name === undefined || known === undefined) {
    const chosen = chosenKernel(system, cache)
    if (chosen) return chosen
    throw new AppError(
      'the distribution offers no package linux-image-amd64, which the lab takes its kernel from',
      {
        help: 'refresh the package lists: apt-get update',
      },
    )
  }
  const release = name.replace(/^linux-image-/, '').replace(/-unsigned$/, '')
  const key = keyOf([String(form), name, known])
  const folder = await cached(system, cache, { kind: 'kernel', key }, (draft) => {
    say(`fetching the kernel from the distribution: ${name}`)
    return fetchKernel(system, { name, release }, draft)
  })
  const marker = markerOf(system, cache)
  system.work.putFile(`${marker}.${process.pid}`, JSON.stringify({ release, key } satisfies Chosen))
  system.work.move(`${marker}.${process.pid}`, marker)
  return kernelIn(system, folder, release)
}

/** Machines of several distributions may share a home folder, and so a cache. */
function markerOf(system: System, cache: string): string {
  const text = system.readText('/etc/os-release')
  const value = (key: string) =>
    new RegExp(`^${key}="?([\\w.-]+)`, 'm').exec(text.ok ? text.value : '')?.[1] ?? 'any'
  return join(cache, `kernel-${value('ID')}-${value('VERSION_ID')}.json`)
}

/** Undefined where the file is torn or not ours: the kernel is chosen again. */
function parseChosen(text: string): Chosen | undefined {
  try {
    return chosenSchema.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}

function chosenKernel(system: System, cache: string): LabKernel | undefined {
  const marker = markerOf(system, cache)
  if (!system.work.exists(marker)) return undefined
  const chosen = parseChosen(system.work.readFile(marker).toString())
  if (chosen === undefined) return undefined
  const { release, key } = chosen
  const folder = join(cache, 'kernel', key)
  if (!system.work.exists(folder)) return undefined
  system.work.touch(folder)
  return kernelIn(system, folder, release)
}

async function fetchKernel(
  system: System,
  { name, release }: { readonly name: string; readonly release: string },
  folder: string,
): Promise<void> {
  const work = system.work.ensureFolder(join(folder, 'work'))
  await run(
    system,
    ['sh', '-c', 'cd "$1" && apt-get download -q "$2"', 'sh', work, name],
    'could the package lists be old? run: apt-get update',
  )
  await run(system, ['sh', '-c', 'dpkg-deb -x "$1"/*.deb "$1"/root', 'sh', work])
  await run(system, ['depmod', '-b', join(work, 'root'), release])
  const vmlinux = await unpackKernel(
    system,
    system.work.readFile(join(work, 'root/boot', `vmlinuz-${release}`)),
    work,
  )
  system.work.move(vmlinux, join(folder, 'vmlinux'))
  system.work.move(join(work, 'root/lib/modules', release), join(folder, 'modules'))
  system.work.removeTree(work)
}

function kernelIn(system: System, folder: string, release: string): LabKernel {
  const modules = join(folder, 'modules')
  const modulesDep = system.work.readFile(join(modules, 'modules.dep')).toString()
  return { release, vmlinux: join(folder, 'vmlinux'), modules, modulesDep }
}

/** `linux-image-amd64` depends on the one package that holds the current kernel. */
async function packageName(system: System): Promise<string | undefined> {
  const shown = await system.exec(['apt-cache', 'depends', '--important', 'linux-image-amd64'], {
    timeoutSeconds: 60,
  })
  return /Depends: (linux-image-[\w.+-]+)/.exec(shown.stdout)?.[1]
}

/** Version and hash of the package, as the distribution signed them. */
async function packageFacts(system: System, name: string): Promise<string | undefined> {
  const shown = await system.exec(['apt-cache', 'show', '--no-all-versions', name], { timeoutSeconds: 60 })
  const facts = shown.stdout.split('\n').filter((line) => /^(?:Version|SHA256): /.test(line))
  return facts.length === 2 ? facts.join(' ') : undefined
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
    payload.readUInt32BE(0) === 0xfd377a58
      ? 'xz'
      : payload.readUInt32LE(0) === 0xfd2fb528
        ? 'zstd'
        : undefined
  if (program === undefined)
    throw new AppError('the kernel image is compressed in a way the lab does not know')
  const packed = join(work, 'payload')
  // The last four bytes are the unpacked size, not part of the stream.
  system.work.putFile(packed, payload.subarray(0, payload.length - 4))
  await run(system, ['sh', '-c', `${program} -dc <"$1" >"$2"`, 'sh', packed, join(work, 'vmlinux')])
  return join(work, 'vmlinux')
}

async function run(system: System, argv: readonly string[], help?: string): Promise<void> {
  const result = await system.exec(argv, { timeoutSeconds: 300 })
  if (result.status === 0) return
  const said = result.stderr.trim().split('\n').at(-1) ?? ''
  throw new AppError(
    `${argv[0]} ended with status ${result.status}: ${said}`,
    help === undefined ? {} : { help },
  )
}
