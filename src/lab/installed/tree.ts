/**
 * The files of an installed lab host: the distribution's packages, and on top of them what makes it this
 * host.
 */
import { defined } from '../../base/defined.ts'
import { join } from 'node:path'
import { AppError } from '../../base/errors.ts'
import type { System } from '../../machine/system.ts'
import { writeTree, type TreeEntry } from '../../images/file-tree.ts'
import type { InstalledSystem } from './systems.ts'

/** Files that the lab does not need, and that would double the size of the disk. */
const leftOut = ['/usr/share/doc/*', '/usr/share/man/*', '/usr/share/locale/*', '/usr/share/info/*']

/** The lab's files in every installed host: source below the package's lab/ folder, place, mode. */
const ownFiles: readonly (readonly [from: string, to: string, mode: number])[] = [
  ['host/agent.sh', 'lib/lab/agent.sh', 0o755],
  ['installed/agent.service', 'etc/systemd/system/lab-agent.service', 0o644],
  ['installed/install.service', 'etc/systemd/system/lab-install.service', 0o644],
  ['installed/network.network', 'etc/systemd/network/10-lab.network', 0o644],
]

/** These files are there before the packages, because installing the packages builds the first initramfs. */
const initramfsFiles: typeof ownFiles = [
  ['installed/initramfs.conf', 'etc/initramfs-tools/conf.d/lab', 0o644],
  ['installed/initramfs.modules', 'usr/share/initramfs-tools/modules.d/lab', 0o644],
]

const grubFiles: typeof ownFiles = [
  ['installed/install-grub.sh', 'lib/lab/install.sh', 0o755],
  ['installed/grub.default', 'etc/default/grub', 0o644],
  ...initramfsFiles,
]

const kindFiles: Readonly<Record<InstalledSystem['kind'], typeof ownFiles>> = {
  'debian-grub': grubFiles,
  'debian-vms': [
    ...grubFiles,
    // In place of the port's own address.
    ['installed/port.network', 'etc/systemd/network/10-lab.network', 0o644],
    ['installed/bridge.netdev', 'etc/systemd/network/10-lab-bridge.netdev', 0o644],
    ['installed/bridge.network', 'etc/systemd/network/10-lab-bridge.network', 0o644],
    // The user of QEMU, as the package brings it.
    ['../packaging/debian/handover.sysusers', 'usr/lib/sysusers.d/handover.conf', 0o644],
  ],
  'debian-systemd-boot': [['installed/install-systemd-boot.sh', 'lib/lab/install.sh', 0o755]],
  'debian-unified': [['installed/install-unified.sh', 'lib/lab/install.sh', 0o755]],
  'debian-ukify': [
    ['installed/install-ukify.sh', 'lib/lab/install.sh', 0o755],
    ['installed/disk.rules', 'etc/udev/rules.d/60-lab-disk.rules', 0o644],
    ...initramfsFiles,
  ],
}

/** What is laid over the packages: the lab's scripts, and what makes an installation this host. */
export function ownTree(system: System, installed: InstalledSystem): TreeEntry[] {
  const esp = installed.firmware === 'uefi' ? 'LABEL=LABESP /boot/efi vfat umask=0077 0 1\n' : ''
  return [
    ...[...ownFiles, ...kindFiles[installed.kind]].map(([from, path, mode]): TreeEntry => ({
      ...{
        kind: 'file',
        path,
        content: system.work.readFile(join(system.work.packageFolder(), 'lab', from)),
        mode,
      },
    })),
    ...['lab-agent', 'lab-install', 'systemd-networkd'].map(enabled),
    file('etc/fstab', `LABEL=labroot / ext4 errors=remount-ro 0 1\n${esp}`),
    ...['opt/handover', ...(esp === '' ? [] : ['boot/efi'])].map(folder),
    file('etc/hostname', 'labhost\n'),
    file('etc/hosts', '127.0.0.1 localhost labhost\n'),
    // A machine id as a finished installation has it: the first boot would otherwise write one, and folders
    // on the ESP are named after it.
    file('etc/machine-id', '6c61626c61626c61626c61626c616200\n'),
    file('usr/local/bin/handover', '#!/bin/sh\nexec node /opt/handover/dist/handover.cjs "$@"\n', 0o755),
    { kind: 'copy', path: 'usr/local/bin/node', from: process.execPath },
    ...(installed.kind === 'debian-vms' ? livesWithVms : []),
  ]
}

/** The program where the package puts it, which services run, and a journal that outlives a power cut. */
const livesWithVms: readonly TreeEntry[] = [
  { kind: 'link', path: 'usr/bin/handover', target: '/usr/local/bin/handover' },
  { kind: 'folder', path: 'var/log/journal' },
]

function file(path: string, content: string, mode?: number): TreeEntry {
  return { ...{ kind: 'file', path, content }, ...defined({ mode }) }
}

function folder(path: string): TreeEntry {
  return { kind: 'folder', path }
}

/** A unit that starts with the host. */
function enabled(name: string): TreeEntry {
  const home = name.startsWith('lab-') ? '/etc/systemd/system' : '/lib/systemd/system'
  const path = `etc/systemd/system/multi-user.target.wants/${name}.service`
  return { kind: 'link', path, target: `${home}/${name}.service` }
}

export async function fillInstalledTree(
  system: System,
  installed: InstalledSystem,
  tree: string,
  { say, signal }: { readonly say: (line: string) => void; readonly signal: AbortSignal },
): Promise<void> {
  const argv = packagesArgs(system, installed, { tree, lab: join(system.work.packageFolder(), 'lab') })
  say(`installing ${suiteOf(system, installed)} into a folder: ${installed.packages.join(' ')}`)
  const result = await system.exec(argv, { timeoutSeconds: 1200, signal })
  if (result.status !== 0)
    throw new AppError(
      `mmdebstrap ended with ${result.status}: ${result.stderr.trim().split('\n').slice(-3).join(' ')}`,
      {
        help: `run it yourself to see more: ${argv.map((word) => (/[\s"*]/.test(word) ? `'${word}'` : word)).join(' ')}`,
      },
    )
  for (const folder of ['var/cache/apt', 'var/lib/apt/lists']) {
    system.work.removeTree(join(tree, folder))
    system.work.ensureFolder(join(tree, folder))
  }
  writeTree(system, ownTree(system, installed), tree)
}

/** The command that unpacks and configures the packages. `lab` is the folder of the lab's files. */
export function packagesArgs(
  system: System,
  installed: InstalledSystem,
  { tree, lab }: { readonly tree: string; readonly lab: string },
): string[] {
  const early = kindFiles[installed.kind].filter((file) => initramfsFiles.includes(file))
  return [
    ...['mmdebstrap', '--quiet', '--variant=apt', `--include=${installed.packages.join(',')}`],
    ...early.map(([from, to]) => `--essential-hook=install -D -m 644 ${asWord(join(lab, from))} "$1/${to}"`),
    ...['--aptopt=Apt::Install-Recommends "false"', '--aptopt=Acquire::Languages "none"'],
    ...leftOut.map((path) => `--dpkgopt=path-exclude=${path}`),
    ...[suiteOf(system, installed), tree],
  ]
}

/** One word of a shell's command line. */
function asWord(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}

const versionsScript = `
essential=$(dpkg-query -Wf '\${Essential} \${Package}\n' | sed -n 's/^yes //p')
without='--no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances'
apt-cache depends --recurse $without "$@" apt $essential | grep '^[a-z0-9]' | sort -u |
  xargs apt-cache show --no-all-versions 2>/dev/null | grep -E '^(Package|Version|SHA256): '`

/**
 * The packages of an installation and all they depend on, with version and hash as this machine's package
 * lists have them. Where the lists do not know the release, the date of today takes their place.
 */
export async function packageVersions(system: System, installed: InstalledSystem): Promise<string> {
  if (installed.suite === undefined) {
    const argv = ['sh', '-c', versionsScript, 'sh', ...installed.packages]
    const { stdout } = await system.exec(argv, { timeoutSeconds: 120 })
    if (stdout.includes('SHA256: ')) return stdout
  }
  return system.now().toISOString().slice(0, 10)
}

/** Where the kind names no release, it is this machine's: the programs copied from here fit its libraries. */
function suiteOf(system: System, installed: InstalledSystem): string {
  if (installed.suite !== undefined) return installed.suite
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
