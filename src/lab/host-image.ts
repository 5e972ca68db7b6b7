/**
 * The lab host's own system: a root file system on a disk image (busybox, Node, QEMU, kernel modules, the guests) and the
 * small initramfs that finds it. The image is kept in the cache and made anew when one of its parts changes.
 */
import { basename, join } from 'node:path'
import { AppError } from '../errors.ts'
import type { System } from '../system/system.ts'
import {
  copyFile,
  ensureFolder,
  exists,
  fileStamp,
  findProgram,
  makeRunFolder,
  move,
  packageFolder,
  putFile,
  putLink,
  readFile,
  realPath,
  removeTree,
  sha256,
} from '../system/work-folder.ts'
import { writeCpio, type CpioEntry } from './cpio.ts'
import { appletLinks, guestImage } from './guest-image.ts'
import type { LabKernel } from './kernel.ts'
import { librariesOf } from './libraries.ts'
import { loadOrder } from './modules.ts'

/** Loaded before the root disk is found, in this order. */
const earlyModules = ['crc32c_generic', 'ahci', 'sd_mod', 'ext4']
/** Loaded at boot whatever the hardware; the drivers of devices come by their aliases, as on any host. vfio is left to the tool. */
const hostModules = ['bridge', 'tun']
/** There for modprobe to find, by name or by a device's alias. */
const foundModules = [
  ...['e1000e', 'igb', 'bochs', 'nvme', 'xhci_pci', 'virtio_pci', 'virtio_net', 'sym53c8xx', 'usbhid', 'usb_storage'],
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

/** `overlay` is laid over the root file system at boot: what changes from run to run (the built tool, the spec). */
export async function hostImage(
  system: System,
  kernel: LabKernel,
  cache: string,
  overlay: readonly CpioEntry[],
  say: (line: string) => void,
): Promise<HostImage> {
  const rootDisk = await rootDiskImage(system, kernel, cache, say)
  return { rootDisk, initramfs: initramfs(kernel, overlay) }
}

async function rootDiskImage(system: System, kernel: LabKernel, cache: string, say: (line: string) => void) {
  const programs = ['busybox', 'qemu-system-x86_64'].map((name) => realPath(findProgram(name) ?? name))
  const scripts = ['host/init.sh', 'host/agent.sh', 'host/udhcpc.sh'].map((name) => join(packageFolder(), 'lab', name))
  const guest = await guestImage(system, kernel)
  const parts = [...programs, process.execPath].map((path) => path + fileStamp(path))
  const key = sha256(
    [kernel.release, ...parts, ...scripts.map((path) => sha256(readFile(path))), sha256(guest), ...hostModules].join(
      '\n',
    ),
  )
  // The layout of the tree is in the key through a number: raise it when fillTree changes.
  const image = join(cache, 'host', `4-${key.slice(0, 16)}.img`)
  if (exists(image)) return image
  say("building the lab host's root disk")
  const work = makeRunFolder('handover-lab-image')
  try {
    await fillTree(system, kernel, join(work, 'tree'), programs, guest)
    await makeFileSystem(system, join(work, 'tree'), join(work, 'root.img'), 640, 'labhost')
    removeTree(join(cache, 'host'))
    ensureFolder(join(cache, 'host'))
    // The temporary folder may be another file system, so the image is copied and then renamed in one go.
    copyFile(join(work, 'root.img'), `${image}.part`)
    move(`${image}.part`, image)
    return image
  } finally {
    removeTree(work)
  }
}

async function fillTree(
  system: System,
  kernel: LabKernel,
  tree: string,
  programs: readonly string[],
  guest: Uint8Array,
) {
  const at = (path: string) => join(tree, path)
  for (const folder of ['dev', 'proc', 'sys', 'run', 'tmp', 'root', 'var/lib', 'etc', 'sbin', 'mnt'])
    ensureFolder(at(folder))
  const [busybox = '', qemu = ''] = programs
  copyFile(busybox, at('bin/busybox'))
  for (const link of await appletLinks(system, busybox)) if (link.kind === 'link') putLink(at(link.path), link.target)
  for (const name of ['modprobe', 'ip', 'insmod']) putLink(at(`sbin/${name}`), '/bin/busybox')
  copyFile(process.execPath, at('usr/bin/node'))
  copyFile(qemu, at('usr/bin/qemu-system-x86_64'))
  const plugin = '/usr/lib/x86_64-linux-gnu/qemu/accel-tcg-x86_64.so'
  if (exists(plugin)) copyFile(plugin, at(plugin))
  for (const library of await librariesOf(system, [process.execPath, qemu, ...(exists(plugin) ? [plugin] : [])]))
    copyFile(library, at(library))
  for (const name of qemuFiles) {
    const file = ['/usr/share/qemu', '/usr/share/seabios'].map((folder) => join(folder, name)).find(exists)
    if (file !== undefined) copyFile(file, at(join('usr/share/qemu', name)))
  }
  for (const name of ['bios-256k.bin', 'bios.bin'])
    copyFile(join('/usr/share/seabios', name), at(join('usr/share/seabios', name)))
  copyFile('/usr/share/misc/pci.ids', at('usr/share/misc/pci.ids'))
  copyFile(kernel.vmlinux, at('guests/vmlinux'))
  putFile(at('guests/guest.cpio'), guest)
  for (const name of ['init', 'agent', 'udhcpc']) {
    const place = name === 'init' ? 'sbin/init' : `lib/lab/${name}.sh`
    putFile(at(place), readFile(join(packageFolder(), 'lab/host', `${name}.sh`)), 0o755)
  }
  putFile(at('etc/os-release'), 'ID=handover-lab\nID_LIKE=debian\nVERSION_ID=1\nPRETTY_NAME="Handover lab host"\n')
  putFile(at('etc/hostname'), 'labhost\n')
  putFile(at('etc/machine-id'), '6c61626c61626c61626c61626c616200\n')
  // Static busybox would look for name-service libraries of its own build otherwise, and crash on ours.
  putFile(at('etc/nsswitch.conf'), 'hosts: files\npasswd: files\n')
  putFile(at('etc/hosts'), '127.0.0.1 localhost labhost\n')
  putFile(at('etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n')
  await putModules(system, kernel, tree)
}

async function putModules(system: System, kernel: LabKernel, tree: string): Promise<void> {
  const folder = join(tree, 'lib/modules', kernel.release)
  const atBoot = loadOrder(kernel.modulesDep, hostModules)
  for (const path of loadOrder(kernel.modulesDep, [...earlyModules, ...hostModules, ...foundModules])) {
    copyFile(join(kernel.modules, path), join(folder, path))
  }
  for (const name of ['modules.builtin', 'modules.builtin.modinfo', 'modules.order']) {
    copyFile(join(kernel.modules, name), join(folder, name))
  }
  await system.exec(['depmod', '-b', tree, kernel.release], { timeoutSeconds: 60 })
  putFile(join(tree, 'lib/lab/modules.order'), `${atBoot.join('\n')}\n`)
}

/** A file system without mounting anything: `mke2fs -d`. Without a journal and checksums, which the lab has no use for. */
export async function makeFileSystem(
  system: System,
  tree: string,
  image: string,
  sizeMiB: number,
  label: string,
): Promise<void> {
  const features = '^has_journal,^metadata_csum,^64bit,^resize_inode'
  const argv = ['mke2fs', '-q', '-t', 'ext4', '-O', features, '-m', '0', '-L', label, '-d', tree, image, `${sizeMiB}M`]
  const result = await system.exec(argv, { timeoutSeconds: 120 })
  if (result.status !== 0) throw new AppError(`mke2fs ended with ${result.status}: ${result.stderr.trim()}`)
}

function initramfs(kernel: LabKernel, overlay: readonly CpioEntry[]): Uint8Array {
  const busybox = findProgram('busybox') ?? '/bin/busybox'
  const order = loadOrder(kernel.modulesDep, earlyModules)
  const entries: CpioEntry[] = [
    ...['dev', 'proc', 'sys', 'root'].map((path): CpioEntry => ({ kind: 'folder', path })),
    { kind: 'device', path: 'dev/console', major: 5, minor: 1 },
    { kind: 'file', path: 'bin/busybox', content: readFile(busybox), mode: 0o755 },
    { kind: 'file', path: 'init', content: readFile(join(packageFolder(), 'lab/host/initramfs.sh')), mode: 0o755 },
    {
      kind: 'file',
      path: 'modules.order',
      content: Buffer.from(`${order.map((path) => basename(path)).join('\n')}\n`),
    },
  ]
  for (const path of order) {
    entries.push({ kind: 'file', path: `modules/${basename(path)}`, content: readFile(join(kernel.modules, path)) })
  }
  for (const entry of overlay) entries.push({ ...entry, path: `overlay/${entry.path}` })
  return writeCpio(entries)
}
