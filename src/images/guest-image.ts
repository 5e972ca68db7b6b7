/**
 * The lab's guests: one small initramfs of busybox, a few kernel modules and the role scripts of lab/guest/.
 */
import { gzipSync } from 'node:zlib'
import { basename, join } from 'node:path'
import type { System } from '../machine/system.ts'
import { writeCpio, type CpioEntry } from './cpio.ts'
import type { LabKernel } from './kernel.ts'
import { librariesOf } from './libraries.ts'
import { loadOrder } from './modules.ts'
import { patternBytes } from './pattern.ts'

const guestModules: Readonly<Record<string, readonly string[]>> = {
  base: ['virtio_pci', 'virtio_console'],
  firewall: ['e1000e', 'crc32c_generic', 'nf_tables', 'nft_chain_nat', 'nft_masq'],
  media: ['crc32c_generic', 'ahci', 'sd_mod', 'ext4', 'virtio_net', 'bochs'],
  bench: ['virtio_blk'],
}

export async function guestImage(system: System, kernel: LabKernel): Promise<Uint8Array> {
  const busybox = system.work.findProgram('busybox') ?? '/bin/busybox'
  const nft = system.work.realPath(system.work.findProgram('nft') ?? '/usr/sbin/nft')
  const entries: CpioEntry[] = [
    ...['dev', 'proc', 'sys', 'run', 'tmp', 'root'].map((path): CpioEntry => ({ kind: 'folder', path })),
    { kind: 'device', path: 'dev/console', major: 5, minor: 1 },
    { kind: 'file', path: 'bin/busybox', content: system.work.readFile(busybox), mode: 0o755 },
    ...(await appletLinks(system, busybox)),
    { kind: 'file', path: 'usr/sbin/nft', content: system.work.readFile(nft), mode: 0o755 },
    ...scriptEntries(system),
    { kind: 'file', path: 'etc/pattern.gz', content: gzipSync(patternBytes()) },
    ...moduleEntries(system, kernel),
  ]
  for (const library of await librariesOf(system, [nft])) {
    entries.push({
      kind: 'file',
      path: library.slice(1),
      content: system.work.readFile(library),
      mode: 0o755,
    })
  }
  return writeCpio(entries)
}

/** In the guest, and below lab/. */
const scripts: readonly (readonly [path: string, from: string])[] = [
  ['init', 'guest/init.sh'],
  ['bin/agent.sh', 'guest/agent.sh'],
  ...['report', 'measure', 'poweroff', 'files'].map(
    (word) => [`ask/${word}.sh`, `guest/ask-${word}.sh`] as const,
  ),
  ...['firewall', 'media', 'store', 'bench'].map(
    (role) => [`roles/${role}.sh`, `guest/role-${role}.sh`] as const,
  ),
  ['etc/firewall.nft', 'guest/firewall.nft'],
  ['etc/udhcpd.conf', 'guest/udhcpd.conf'],
  ['etc/udhcpc.sh', 'host/udhcpc.sh'],
]

function scriptEntries(system: System): CpioEntry[] {
  const lab = join(system.work.packageFolder(), 'lab')
  return scripts.map(([path, from]) => ({
    ...{ kind: 'file', path, mode: 0o755 },
    content: system.work.readFile(join(lab, from)),
  }))
}

/** Links for every applet, so that scripts find them under their usual names. */
export async function appletLinks(system: System, busybox: string): Promise<CpioEntry[]> {
  const listed = await system.exec([busybox, '--list'], { timeoutSeconds: 10 })
  const applets = listed.stdout.split('\n').filter((name) => /^[\w[-]+$/.test(name) && name !== 'busybox')
  return applets.map((name) => ({ kind: 'link', path: `bin/${name}`, target: '/bin/busybox' }))
}

function moduleEntries(system: System, kernel: LabKernel): CpioEntry[] {
  const entries = new Map<string, CpioEntry>()
  for (const [role, wanted] of Object.entries(guestModules)) {
    const order = loadOrder(kernel.modulesDep, wanted)
    for (const path of order) {
      const name = basename(path)
      entries.set(name, {
        kind: 'file',
        path: `modules/${name}`,
        content: system.work.readFile(join(kernel.modules, path)),
      })
    }
    const text = `${order.map((path) => basename(path)).join('\n')}\n`
    entries.set(`${role}.order`, { kind: 'file', path: `modules/${role}.order`, content: Buffer.from(text) })
  }
  return [...entries.values()]
}
