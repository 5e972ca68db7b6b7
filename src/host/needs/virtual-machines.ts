/**
 * Functions that a running QEMU process holds now. Read from the process list, so only what vfio devices there are can
 * be asked for; a finished VM leaves nothing here.
 */
import { parseAddress } from '../../pci/address.ts'
import type { PciDevice } from '../../pci/device.ts'
import type { HostNeed } from '../host.ts'
import { namesIn, type Reading } from '../reading.ts'
import type { NeedsRead } from './ends.ts'

export function readVmNeeds(reading: Reading, devices: readonly PciDevice[]): NeedsRead {
  const bound = new Set(devices.filter((d) => d.driver?.startsWith('vfio')).map((d) => d.address))
  if (bound.size === 0) return { needs: [], lost: [] }
  const needs: HostNeed[] = []
  for (const pid of namesIn(reading, '/proc').filter((name) => /^\d+$/.test(name))) {
    const cmdline = reading.system.readText(`/proc/${pid}/cmdline`)
    // A process that ended meanwhile, or one of another user: neither hides a QEMU that root could see.
    if (!cmdline.ok || !cmdline.value.includes('vfio-pci')) continue
    const args = cmdline.value.split('\0')
    const name = vmName(args) ?? `process ${pid}`
    for (const arg of args.filter((text) => text.includes('vfio-pci'))) {
      for (const match of arg.matchAll(/host"?[=:]\s*"?([0-9a-f:.]{7,16})/gi)) {
        const device = parseAddress(match[1] ?? '')
        if (device && bound.has(device))
          needs.push({ kind: 'vm', what: `running VM ${name}`, chain: [], device, weight: 'spoken-for' })
      }
    }
  }
  return { needs, lost: [] }
}

/** `-name firewall,debug-threads=on` or `-name guest=firewall,…`. */
function vmName(args: readonly string[]): string | undefined {
  const value = args[args.indexOf('-name') + 1]
  if (!args.includes('-name') || value === undefined) return undefined
  return /(?:^|,)(?:guest=)?([^,=]+)/.exec(value)?.[1]
}
