/**
 * What the lab needs from the distribution: programs and files, and the Debian packages they come in.
 */
import { AppError } from '../base/errors.ts'
import type { System } from '../machine/system.ts'

export type Need = {
  readonly program?: string
  readonly file?: string
  readonly debianPackage: string
  readonly for: string
}

export const labNeeds: readonly Need[] = [
  { program: 'qemu-system-x86_64', debianPackage: 'qemu-system-x86', for: 'the virtual host and its guests' },
  { file: '/usr/share/seabios/bios-256k.bin', debianPackage: 'seabios', for: "the guests' firmware" },
  { program: 'busybox', debianPackage: 'busybox-static', for: 'the small systems' },
  { program: 'ip', debianPackage: 'iproute2', for: "the virtual host's own view of its network" },
  { program: 'mke2fs', debianPackage: 'e2fsprogs', for: 'disk images without mounting' },
  { program: 'nft', debianPackage: 'nftables', for: "the firewall guest's address translation" },
  { program: 'xz', debianPackage: 'xz-utils', for: 'unpacking the kernel' },
  { program: 'depmod', debianPackage: 'kmod', for: 'the order of kernel modules' },
  { program: 'dpkg-deb', debianPackage: 'dpkg', for: 'unpacking the kernel package' },
  { program: 'apt-get', debianPackage: 'apt', for: 'fetching the kernel package' },
  { program: 'ldd', debianPackage: 'libc-bin', for: 'finding libraries' },
  { file: '/usr/share/misc/pci.ids', debianPackage: 'pci.ids', for: 'names of devices' },
]

/** The part of the port that is used here. */
type Machine = { readonly work: Pick<System['work'], 'findProgram' | 'exists'> }

/** `further`: what one topology needs beyond the rest. */
export function missingNeeds({ work }: Machine, further: readonly Need[] = []): Need[] {
  return [...labNeeds, ...further].filter(({ program, file = '' }) =>
    program === undefined ? !work.exists(file) : work.findProgram(program) === undefined,
  )
}

function wordOf(need: Need): string {
  return need.program ?? need.file ?? need.debianPackage
}

/**
 * As root on a Debian-like system it reports what is missing and installs it. Otherwise it throws an error
 * that names the one command to run.
 */
export async function installNeeds(
  system: Machine & Pick<System, 'exec'>,
  say: (line: string) => void,
  further: readonly Need[] = [],
  isRoot = process.getuid?.() === 0,
): Promise<void> {
  const missing = missingNeeds(system, further)
  if (missing.length === 0) return
  const packages = [...new Set(missing.map((need) => need.debianPackage))]
  const words = missing.map(wordOf).join(', ')
  const command = `apt-get install -y --no-install-recommends ${packages.join(' ')}`
  if (system.work.findProgram('apt-get') === undefined) {
    throw new AppError(`the lab looked for these and did not find them: ${words}`, {
      help:
        'install them with your package manager; the lab itself needs a Debian 12 or later ' +
        '(apt-get fetches its kernel)',
    })
  }
  if (!isRoot) {
    throw new AppError(`the lab needs these and did not find them: ${words}`, { help: `sudo ${command}` })
  }
  say(`installing from the distribution: ${packages.join(' ')}`)
  await install(system, command)
  const still = missingNeeds(system, further)
  if (still.length > 0)
    throw new AppError(`still missing after the installation: ${still.map(wordOf).join(', ')}`)
}

async function install(system: Pick<System, 'exec'>, command: string): Promise<void> {
  for (const argv of [['apt-get', 'update', '-qq'], command.split(' ')]) {
    const result = await system.exec(argv, {
      env: { DEBIAN_FRONTEND: 'noninteractive', HOME: '/root' },
      timeoutSeconds: 900,
    })
    // An update that fails may still leave a usable package list: only the installation decides.
    if (result.status !== 0 && argv[1] !== 'update') {
      throw new AppError(
        `${argv.slice(0, 2).join(' ')} ended with ${result.status}: ${lastLine(result.stderr)}`,
        {
          help: `run it yourself to see more: ${command}`,
        },
      )
    }
  }
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? ''
}
