/** The files of an installed lab host: the distribution's packages, and on top of them what makes it this host. */
import { join } from 'node:path'
import { AppError } from '../../errors.ts'
import type { System } from '../../system/system.ts'
import {
  copyFile,
  ensureFolder,
  packageFolder,
  putFile,
  putLink,
  readFile,
  removeTree,
} from '../../system/work-folder.ts'
import type { InstalledSystem } from './systems.ts'

/** What nobody looks at in a lab, and what would double the size of the disk. */
const leftOut = ['/usr/share/doc/*', '/usr/share/man/*', '/usr/share/locale/*', '/usr/share/info/*']

/** The lab's files in every installed host: source below the package's lab/ folder, place, mode. */
const ownFiles: readonly (readonly [from: string, to: string, mode: number])[] = [
  ['host/agent.sh', 'lib/lab/agent.sh', 0o755],
  ['installed/agent.service', 'etc/systemd/system/lab-agent.service', 0o644],
  ['installed/install.service', 'etc/systemd/system/lab-install.service', 0o644],
  ['installed/network.network', 'etc/systemd/network/10-lab.network', 0o644],
]

const initramfsFiles: typeof ownFiles = [
  ['installed/initramfs.conf', 'etc/initramfs-tools/conf.d/lab', 0o644],
  ['installed/initramfs.modules', 'etc/initramfs-tools/modules', 0o644],
]

const kindFiles: Readonly<Record<InstalledSystem['kind'], typeof ownFiles>> = {
  'debian-grub': [
    ['installed/install-grub.sh', 'lib/lab/install.sh', 0o755],
    ['installed/grub.default', 'etc/default/grub', 0o644],
    ...initramfsFiles,
  ],
  'debian-systemd-boot': [['installed/install-systemd-boot.sh', 'lib/lab/install.sh', 0o755]],
  'debian-unified': [['installed/install-unified.sh', 'lib/lab/install.sh', 0o755]],
  'debian-ukify': [
    ['installed/install-ukify.sh', 'lib/lab/install.sh', 0o755],
    ['installed/disk.rules', 'etc/udev/rules.d/60-lab-disk.rules', 0o644],
    ...initramfsFiles,
  ],
}

/** The texts an image is made from, for its key in the cache. */
export function ownTexts(installed: InstalledSystem): string[] {
  return [...ownFiles, ...kindFiles[installed.kind]].map(([from]) =>
    readFile(join(packageFolder(), 'lab', from)).toString(),
  )
}

export async function fillInstalledTree(
  system: System,
  installed: InstalledSystem,
  tree: string,
  { say, signal }: { readonly say: (line: string) => void; readonly signal: AbortSignal },
): Promise<void> {
  const suite = installed.suite ?? suiteOf(system)
  say(`installing ${suite} into a folder: ${installed.packages.join(' ')}`)
  const argv = [
    ...['mmdebstrap', '--quiet', '--variant=apt', `--include=${installed.packages.join(',')}`],
    ...['--aptopt=Apt::Install-Recommends "false"', '--aptopt=Acquire::Languages "none"'],
    ...leftOut.map((path) => `--dpkgopt=path-exclude=${path}`),
    ...[suite, tree],
  ]
  const result = await system.exec(argv, { timeoutSeconds: 1200, signal })
  if (result.status !== 0)
    throw new AppError(
      `mmdebstrap ended with ${result.status}: ${result.stderr.trim().split('\n').slice(-3).join(' ')}`,
      {
        help: `run it yourself to see more: ${argv.map((word) => (/[\s"*]/.test(word) ? `'${word}'` : word)).join(' ')}`,
      },
    )
  for (const folder of ['var/cache/apt', 'var/lib/apt/lists']) {
    removeTree(join(tree, folder))
    ensureFolder(join(tree, folder))
  }
  putOwnFiles(installed, tree)
}

function putOwnFiles(installed: InstalledSystem, tree: string): void {
  for (const [from, to, mode] of [...ownFiles, ...kindFiles[installed.kind]])
    putFile(join(tree, to), readFile(join(packageFolder(), 'lab', from)), mode)
  for (const unit of ['lab-agent', 'lab-install', 'systemd-networkd']) {
    const home = unit.startsWith('lab-') ? '/etc/systemd/system' : '/lib/systemd/system'
    putLink(join(tree, `etc/systemd/system/multi-user.target.wants/${unit}.service`), `${home}/${unit}.service`)
  }
  const esp = installed.firmware === 'uefi' ? 'LABEL=LABESP /boot/efi vfat umask=0077 0 1\n' : ''
  putFile(join(tree, 'etc/fstab'), `LABEL=labroot / ext4 errors=remount-ro 0 1\n${esp}`)
  for (const folder of ['opt/handover', ...(esp === '' ? [] : ['boot/efi'])]) ensureFolder(join(tree, folder))
  putFile(join(tree, 'etc/hostname'), 'labhost\n')
  putFile(join(tree, 'etc/hosts'), '127.0.0.1 localhost labhost\n')
  // A machine id as a finished installation has it: the first boot would otherwise write one, and folders on the ESP are named after it.
  putFile(join(tree, 'etc/machine-id'), '6c61626c61626c61626c61626c616200\n')
  putFile(join(tree, 'usr/local/bin/handover'), '#!/bin/sh\nexec node /opt/handover/dist/handover.cjs "$@"\n', 0o755)
  copyFile(process.execPath, join(tree, 'usr/local/bin/node'))
}

/** The same release as this machine's, whose programs fit its libraries. */
function suiteOf(system: System): string {
  const text = system.readText('/etc/os-release')
  const words = text.ok ? text.value : ''
  const name = /^ID=debian$/m.test(words) ? /^VERSION_CODENAME=(\w+)$/m.exec(words)?.[1] : undefined
  if (name !== undefined) return name
  throw new AppError(
    'an installed lab host is built from the packages of this machine’s own Debian, and this is none',
    {
      help: 'the other topologies need no Debian underneath: handover lab run lab/home.yaml',
    },
  )
}
