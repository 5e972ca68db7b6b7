/**
 * The lab host's own system: a root file system on a disk image (busybox, Node, QEMU, kernel modules, the
 * guests), kept in the cache, and the small initramfs that finds it.
 */
import { basename, join } from 'node:path'
import { AppError } from '../base/errors.ts'
import type { System } from '../machine/system.ts'
import { cached, keyOf, programKey } from '../images/cache.ts'
import { writeCpio, type CpioEntry } from '../images/cpio.ts'
import { treeKey, writeTree, type TreeEntry } from '../images/file-tree.ts'
import { appletLinks, guestImage } from '../images/guest-image.ts'
import type { LabKernel } from '../images/kernel.ts'
import { librariesOf } from '../images/libraries.ts'
import { loadOrder } from '../images/modules.ts'

/** Loaded before the root disk is found, in this order. */
const earlyModules = ['crc32c_generic', 'ahci', 'sd_mod', 'ext4']
/**
 * Loaded at boot whatever the hardware; the drivers of devices come by their aliases, as on any host. vfio is
 * left to the tool.
 */
const hostModules = ['bridge', 'tun']
/** There for modprobe to find, by name or by a device's alias. */
const foundModules = [
  ...[
    'e1000e',
    'igb',
    'bochs',
    'nvme',
    'xhci_pci',
    'virtio_pci',
    'virtio_net',
    'sym53c8xx',
    'usbhid',
    'usb_storage',
  ],
  ...['kvm_amd', 'kvm_intel', 'vfio_pci', 'vfio_iommu_type1'],
]

const qemuFiles = [
  'kvmvapic.bin',
  'linuxboot_dma.bin',
  'multiboot_dma.bin',
  'pvh.bin',
  'vgabios-stdvga.bin',
  'keymaps/en-us',
]

export type HostImage = { readonly rootDisk: string; readonly initramfs: Uint8Array }

/**
 * `overlay` is laid over the root file system at boot: what changes from run to run (the built tool, the
 * spec).
 */
export async function hostImage(
  system: System,
  kernel: LabKernel,
  cache: string,
  overlay: readonly CpioEntry[],
  say: (line: string) => void,
): Promise<HostImage> {
  const disk = await rootDiskImage(system, kernel, cache, say)
  return { rootDisk: disk, initramfs: initramfs(system, kernel, overlay) }
}

async function rootDiskImage(system: System, kernel: LabKernel, cache: string, say: (line: string) => void) {
  const entries = await rootTree(system, kernel)
  const key = keyOf([
    treeKey(system, entries),
    ...['depmod', 'mke2fs'].map((name) => programKey(system, name)),
    ...fileSystemArgs('tree', 'image', rootDisk),
  ])
  const folder = await cached(system, cache, { kind: 'host', key }, async (draft) => {
    say("building the lab host's root disk")
    const work = system.work.makeRunFolder('handover-lab-image')
    try {
      const tree = join(work, 'tree')
      writeTree(system, entries, tree)
      await system.exec(['depmod', '-b', tree, kernel.release], { timeoutSeconds: 60 })
      await makeFileSystem(system, tree, join(draft, 'root.img'), rootDisk)
    } finally {
      system.work.removeTree(work)
    }
  })
  return join(folder, 'root.img')
}

/** All of the lab host's own system but what `depmod` adds. */
async function rootTree(system: System, kernel: LabKernel): Promise<TreeEntry[]> {
  const folders = ['dev', 'proc', 'sys', 'run', 'tmp', 'root', 'var/lib', 'etc', 'sbin', 'mnt']
  return [
    ...folders.map((path): TreeEntry => ({ kind: 'folder', path })),
    ...(await programTree(system)),
    ...qemuData(system),
    copyOf('/usr/share/misc/pci.ids'),
    { kind: 'copy', path: 'guests/vmlinux', from: kernel.vmlinux },
    { kind: 'file', path: 'guests/guest.cpio', content: await guestImage(system, kernel) },
    ...scriptTree(system),
    ...settings,
    ...modules(kernel),
  ]
}

function copyOf(path: string): TreeEntry {
  return { kind: 'copy', path, from: path }
}

/** Programs of this machine, with their libraries. */
async function programTree(system: System): Promise<TreeEntry[]> {
  const programs = ['busybox', 'qemu-system-x86_64', 'ip'].map((name) =>
    system.work.realPath(system.work.findProgram(name) ?? name),
  )
  const [busybox = '', qemu = '', ip = ''] = programs
  const plugin = '/usr/lib/x86_64-linux-gnu/qemu/accel-tcg-x86_64.so'
  const plugins = system.work.exists(plugin) ? [plugin] : []
  const link = (name: string): TreeEntry => ({ kind: 'link', path: `sbin/${name}`, target: '/bin/busybox' })
  const applets = await appletLinks(system, busybox)
  return [
    { kind: 'copy', path: 'bin/busybox', from: busybox },
    // The tool asks the kernel for its routes through the real ip; that of busybox knows no JSON.
    ...applets.filter((entry) => entry.kind === 'link').filter(({ path }) => path !== 'bin/ip'),
    { kind: 'copy', path: 'sbin/ip', from: ip },
    ...['modprobe', 'insmod'].map(link),
    { kind: 'copy', path: 'usr/bin/node', from: process.execPath },
    { kind: 'copy', path: 'usr/bin/qemu-system-x86_64', from: qemu },
    ...plugins.map(copyOf),
    ...(await librariesOf(system, [process.execPath, qemu, ip, ...plugins])).map(copyOf),
  ]
}

function scriptTree(system: System): TreeEntry[] {
  const script = (path: string, name: string): TreeEntry => {
    const content = system.work.readFile(join(system.work.packageFolder(), 'lab/host', `${name}.sh`))
    return { kind: 'file', path, content, mode: 0o755 }
  }
  return [
    script('sbin/init', 'init'),
    script('lib/lab/agent.sh', 'agent'),
    script('lib/lab/udhcpc.sh', 'udhcpc'),
  ]
}

const text = (path: string, content: string): TreeEntry => ({ kind: 'file', path, content })

const settings: readonly TreeEntry[] = [
  text('etc/os-release', 'ID=handover-lab\nID_LIKE=debian\nVERSION_ID=1\nPRETTY_NAME="Handover lab host"\n'),
  text('etc/hostname', 'labhost\n'),
  text('etc/machine-id', '6c61626c61626c61626c61626c616200\n'),
  // Static busybox would look for name-service libraries of its own build otherwise, and crash on these.
  text('etc/nsswitch.conf', 'hosts: files\npasswd: files\n'),
  text('etc/hosts', '127.0.0.1 localhost labhost\n'),
  text('etc/passwd', 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n'),
]

function qemuData(system: System): TreeEntry[] {
  const data = qemuFiles.flatMap((name): TreeEntry[] => {
    const from = ['/usr/share/qemu', '/usr/share/seabios']
      .map((folder) => join(folder, name))
      .find((path) => system.work.exists(path))
    return from === undefined ? [] : [{ kind: 'copy', path: join('usr/share/qemu', name), from }]
  })
  const firmware = ['bios-256k.bin', 'bios.bin'].map((name) => join('/usr/share/seabios', name))
  return [...data, ...firmware.map((from): TreeEntry => ({ kind: 'copy', path: from, from }))]
}

function modules(kernel: LabKernel): TreeEntry[] {
  const folder = join('lib/modules', kernel.release)
  const atBoot = loadOrder(kernel.modulesDep, hostModules)
  return [
    ...loadOrder(kernel.modulesDep, [...earlyModules, ...hostModules, ...foundModules]),
    ...['modules.builtin', 'modules.builtin.modinfo', 'modules.order'],
  ]
    .map((path): TreeEntry => ({ kind: 'copy', path: join(folder, path), from: join(kernel.modules, path) }))
    .concat({ kind: 'file', path: 'lib/lab/modules.order', content: `${atBoot.join('\n')}\n` })
}

export type FileSystem = { readonly label: string; readonly sizeMiB: number }

const rootDisk: FileSystem = { label: 'labhost', sizeMiB: 640 }

/** Without a journal and checksums, which the lab has no use for. */
function fileSystemArgs(tree: string, image: string, { label, sizeMiB }: FileSystem): string[] {
  const features = '^has_journal,^metadata_csum,^64bit,^resize_inode'
  return [
    'mke2fs',
    '-q',
    '-t',
    'ext4',
    '-O',
    features,
    '-m',
    '0',
    '-L',
    label,
    '-d',
    tree,
    image,
    `${sizeMiB}M`,
  ]
}

/** A file system without mounting anything: `mke2fs -d`. */
export async function makeFileSystem(
  system: System,
  tree: string,
  image: string,
  fileSystem: FileSystem,
): Promise<void> {
  const result = await system.exec(fileSystemArgs(tree, image, fileSystem), { timeoutSeconds: 120 })
  if (result.status !== 0) throw new AppError(`mke2fs ended with ${result.status}: ${result.stderr.trim()}`)
}

function initramfs(system: System, kernel: LabKernel, overlay: readonly CpioEntry[]): Uint8Array {
  const busybox = system.work.findProgram('busybox') ?? '/bin/busybox'
  const order = loadOrder(kernel.modulesDep, earlyModules)
  const entries: CpioEntry[] = [
    ...['dev', 'proc', 'sys', 'root'].map((path): CpioEntry => ({ kind: 'folder', path })),
    { kind: 'device', path: 'dev/console', major: 5, minor: 1 },
    { kind: 'file', path: 'bin/busybox', content: system.work.readFile(busybox), mode: 0o755 },
    {
      kind: 'file',
      path: 'init',
      content: system.work.readFile(join(system.work.packageFolder(), 'lab/host/initramfs.sh')),
      mode: 0o755,
    },
    {
      kind: 'file',
      path: 'modules.order',
      content: Buffer.from(`${order.map((path) => basename(path)).join('\n')}\n`),
    },
  ]
  for (const path of order) {
    entries.push({
      kind: 'file',
      path: `modules/${basename(path)}`,
      content: system.work.readFile(join(kernel.modules, path)),
    })
  }
  for (const entry of overlay) entries.push({ ...entry, path: `overlay/${entry.path}` })
  return writeCpio(entries)
}
