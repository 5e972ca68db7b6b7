/** A proposal as a `home.yaml` that a person reads, changes and keeps. */
import { stateFolder } from '../base/own-folders.ts'
import { wrap } from '../base/text.ts'
import { commentText, flowMap } from './yaml-text.ts'
import type { DeviceDraft, VmDraft, Wish } from './wishes.ts'

export function writeSpec(vms: readonly VmDraft[], notes: readonly string[] = []): string {
  const hasFirewall = vms.some(({ wish }) => wish === 'firewall')
  return [
    '# Made by handover init. Look at it, change what you like, then: handover plan home.yaml',
    ...notes.flatMap((note) => wrap(note, 100).map(commentText)),
    'version: 1',
    'vms:',
    ...vms.flatMap((vm) => vmLines(vm, hasFirewall)),
    '',
  ].join('\n')
}

type Words = {
  readonly head: string
  readonly keys: readonly string[]
  readonly disk: string
  readonly iso: string
  readonly serves: string
  readonly ready: string
}

const words: Readonly<Record<Wish, Words>> = {
  firewall: {
    head: 'The firewall: one port to the provider (wan), one to the house (lan).',
    keys: ['guest: freebsd # OPNsense; for a Linux firewall: linux'],
    disk: '20 GiB',
    iso: 'OPNsense.iso',
    serves: 'internet',
    ready: '{ ping: 192.168.1.1, within: 3 min } # when this host reaches the address of the firewall',
  },
  media: {
    head: 'The media server or NAS: the whole controller, with every disk behind it.',
    keys: ['guest: linux'],
    disk: '40 GiB',
    iso: 'debian.iso',
    serves: 'files',
    ready: '{ tcp: "192.168.1.10:445", within: 3 min } # when this host reaches the address of the server',
  },
  workstation: {
    head: 'The workstation: the graphics card, with its sound; the monitor is on that card.',
    keys: ['firmware: uefi', 'autostart: false # started when somebody sits there: handover up workstation'],
    disk: '80 GiB',
    iso: 'installer.iso',
    serves: 'desktop',
    ready: '{ ping: 192.168.1.20, within: 3 min } # when this host reaches the address of the workstation',
  },
}

function vmLines({ wish, memoryMiB, cpus, devices }: VmDraft, hasFirewall: boolean): string[] {
  const { head, keys, disk, iso, serves, ready } = words[wish]
  const lines = [
    `memory: ${memoryMiB % 1024 === 0 ? `${memoryMiB / 1024} GiB` : `${memoryMiB} MiB`}`,
    `cpus: ${cpus}`,
    ...keys,
    `disks: [{ path: ${stateFolder}/${wish}.qcow2, size: ${disk} }] # created at the first start`,
    `# iso: ${stateFolder}/${iso} # until it is installed`,
    'devices:',
    ...devices.flatMap(deviceLines),
    `serves: [${serves}]`,
    ...(hasFirewall && wish !== 'firewall' ? ['needs: [firewall] # starts after it'] : []),
    `# ready: ${ready}`,
  ]
  return [`  # ${head}`, `  ${wish}:`, ...lines.map((line) => `    ${line}`)]
}

function deviceLines({ role, keys, comment }: DeviceDraft): string[] {
  const explained = comment === undefined ? [] : wrap(comment, 96).map((line) => `  ${commentText(line)}`)
  return [...explained, `  ${role}: ${flowMap(keys)}`]
}
