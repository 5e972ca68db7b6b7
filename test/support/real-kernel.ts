/**
 * A real kernel for a few seconds: the lab's, with busybox and a script as its whole system, in QEMU. For
 * facts of the kernel that a tree shaped like sysfs can only claim. The script says `key: value` lines on its
 * console.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { chooseAccelerator } from '../../src/engines/qemu/accelerator.ts'
import { writeCpio, type CpioEntry } from '../../src/images/cpio.ts'
import { appletLinks } from '../../src/images/guest-image.ts'
import { labKernel } from '../../src/images/kernel.ts'
import { librariesOf } from '../../src/images/libraries.ts'
import { loadOrder } from '../../src/images/modules.ts'
import { linuxSystem } from '../../src/machine/linux.ts'
import { workFolder } from '../../src/machine/work-folder.ts'
import { tempTree } from './fake-kernel.ts'
import { labCache } from './lab.ts'

export type RealKernel = {
  readonly modules: readonly string[]
  readonly files: readonly { readonly path: string; readonly text: string; readonly mode: number }[]
  /** Runs with proc, sysfs and devtmpfs mounted and the modules loaded; `say KEY VALUE…` answers. */
  readonly script: string
  readonly devices: readonly string[]
  /** The built tool and Node come along, for `node /tool/handover.cjs`. */
  readonly withTool?: boolean
  /** The real ip, in place of that of busybox. */
  readonly withIp?: boolean
}

const prelude = `#!/bin/sh
export PATH=/bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
exec >/dev/ttyS0 2>/dev/null
say() { key=$1; shift; echo "said $key: $*"; }
for module in /modules/*; do insmod "$module"; done
`

/** What the script said, by key. */
export async function askRealKernel(given: RealKernel): Promise<Readonly<Record<string, string>>> {
  const system = linuxSystem()
  const kernel = await labKernel(system, labCache, () => undefined)
  const busybox = workFolder.findProgram('busybox') ?? ''
  const entries: CpioEntry[] = ['proc', 'sys', 'dev', 'tmp'].map((path) => ({ kind: 'folder', path }))
  const add = (path: string, content: Uint8Array, mode: number) =>
    entries.push({ kind: 'file', path: path.slice(1), content, mode })
  add('/bin/busybox', readFileSync(busybox), 0o755)
  const ip = given.withIp === true ? [workFolder.findProgram('ip') ?? 'ip'] : []
  const programs = [busybox, ...ip, ...(given.withTool === true ? [process.execPath] : [])]
  for (const library of await librariesOf(system, programs)) add(library, readFileSync(library), 0o755)
  if (given.withTool === true) {
    add('/bin/node', readFileSync(process.execPath), 0o755)
    for (const name of readdirSync('dist').filter((file) => !file.endsWith('.mjs')))
      add(`/tool/${name}`, readFileSync(join('dist', name)), 0o755)
  }
  entries.push(
    ...(await appletLinks(system, busybox)).filter(({ path }) => ip.length === 0 || path !== 'bin/ip'),
  )
  for (const program of ip) add('/bin/ip', readFileSync(program), 0o755)
  for (const [i, path] of loadOrder(kernel.modulesDep, given.modules).entries())
    add(
      `/modules/${String(i).padStart(2, '0')}-${basename(path)}`,
      readFileSync(join(kernel.modules, path)),
      0o644,
    )
  for (const { path, text, mode } of given.files) add(path, Buffer.from(text), mode)
  add('/init', Buffer.from(`${prelude}${given.script}\npoweroff -f\n`), 0o755)
  const folder = tempTree()
  try {
    const initrd = join(folder, 'initrd')
    writeFileSync(initrd, writeCpio(entries))
    const { kind } = await chooseAccelerator(system)
    const argv = [
      ...['qemu-system-x86_64', '-nodefaults', '-display', 'none', '-serial', 'stdio', '-no-reboot'],
      ...['-m', given.withTool === true ? '1536' : '512', '-smp', '2'],
      ...['-machine', 'q35,kernel-irqchip=split', '-accel', kind, '-cpu', kind === 'kvm' ? 'host' : 'max'],
      ...['-device', 'intel-iommu,intremap=on', ...given.devices],
      ...[
        '-kernel',
        kernel.vmlinux,
        '-initrd',
        initrd,
        '-append',
        'console=ttyS0 quiet panic=-1 intel_iommu=on',
      ],
    ]
    const { stdout, stderr, timedOut } = await system.exec(argv, { timeoutSeconds: 240 })
    const said = [...stdout.matchAll(/^said (\S+): (.*?)\s*$/gm)].map(([, key, value]) => [
      key ?? '',
      value ?? '',
    ])
    if (timedOut || said.length === 0)
      throw new Error(`the guest did not end well: ${stderr}${stdout.slice(-2000)}`)
    return Object.fromEntries(said) as Record<string, string>
  } finally {
    rmSync(folder, { recursive: true })
  }
}
