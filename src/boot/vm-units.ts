/**
 * Makes the systemd units that run the VMs: a template, a drop-in for each VM with its dependencies, and a
 * drop-in for multi-user.target that starts the VMs which start with the host.
 */
import templateAsset from '../../assets/boot/handover-vm@.service?raw'
import { stateFolder } from '../base/own-folders.ts'
import { ownHeader, type OwnFile } from './own-file.ts'
import { scriptText } from './script.ts'

/** The installed program. A unit never runs a checkout, since the owner of its folder can change it. */
export const installedProgram = '/usr/bin/handover'

export const unitFolder = '/etc/systemd/system'
export const vmTemplatePath = `${unitFolder}/handover-vm@.service`
export const vmTargetPath = `${unitFolder}/multi-user.target.d/handover.conf`

/** The name of a VM needs no escaping in the name of a unit (spec/schema-parts.ts). */
export function vmUnitName(vm: string): string {
  return `handover-vm@${vm}.service`
}

export function vmDropInPath(vm: string): string {
  return `${unitFolder}/${vmUnitName(vm)}.d/handover.conf`
}

/** The VM whose drop-in is in a folder of this name; undefined for other folders. */
export function vmOfUnitFolder(name: string): string | undefined {
  return /^handover-vm@([a-z][a-z0-9-]{0,31})\.service\.d$/.exec(name)?.[1]
}

export type VmUnit = {
  readonly vm: string
  readonly startsWithHost: boolean
  /** VMs that start before this one. */
  readonly needs: readonly string[]
  /** Absolute paths of the files and block devices that the VM starts from. */
  readonly paths: readonly string[]
  readonly bridges: readonly string[]
  readonly needsHostNetwork: boolean
  /** The longest time of a start, with everything that the VM waits for. */
  readonly startSeconds: number
}

export function vmUnitFiles(units: readonly VmUnit[]): OwnFile[] {
  const wanted = units.filter(({ startsWithHost }) => startsWithHost).map(({ vm }) => vmUnitName(vm))
  return [
    { path: vmTemplatePath, mode: 0o644, text: scriptText(templateAsset) },
    ...units.map((unit) => ({ path: vmDropInPath(unit.vm), mode: 0o644, text: dropIn(unit, wanted) })),
    { path: vmTargetPath, mode: 0o644, text: `${ownHeader}\n[Unit]\nWants=${wanted.join(' ')}\n` },
  ]
}

/**
 * The units that a VM needs are wanted, not required: when the VM of the firewall failed, this VM checks
 * itself whether it answers (app/unit.ts), and systemd starts it again later. VMs that do not start with the
 * host are not started by this.
 */
function dropIn(unit: VmUnit, wanted: readonly string[]): string {
  const needs = unit.needs.map(vmUnitName)
  const units = [
    ...unit.bridges.map((bridge) => deviceUnit(`/sys/subsystem/net/devices/${bridge}`)),
    ...unit.paths.filter(isDevice).map(deviceUnit),
    ...(unit.needsHostNetwork ? ['network-online.target'] : []),
  ]
  const folders = [stateFolder, ...unit.paths.filter((path) => !isDevice(path))].flatMap(quotePath)
  return [
    ownHeader,
    '[Unit]',
    ...line('Wants', [...needs.filter((need) => wanted.includes(need)), ...units]),
    ...line('After', [...needs, ...units]),
    `RequiresMountsFor=${folders.join(' ')}`,
    '',
    '[Service]',
    `TimeoutStartSec=${unit.startSeconds}`,
    '',
  ].join('\n')
}

function line(key: string, units: readonly string[]): string[] {
  return units.length === 0 ? [] : [`${key}=${units.join(' ')}`]
}

function isDevice(path: string): boolean {
  return path.startsWith('/dev/')
}

/** The device unit of a path, escaped as in `unit_name_path_escape` of systemd (src/basic/unit-name.c). */
function deviceUnit(path: string): string {
  const bytes = [...new TextEncoder().encode(path.replace(/^\/+/, '').replaceAll(/\/+/g, '/'))]
  const signs = bytes.map((byte, index) => {
    const sign = String.fromCharCode(byte)
    if (sign === '/') return '-'
    const isPlain = /[A-Za-z0-9:_.]/.test(sign) && !(sign === '.' && index === 0)
    return isPlain ? sign : `\\x${byte.toString(16).padStart(2, '0')}`
  })
  return `${signs.join('')}.device`
}

/**
 * A path for RequiresMountsFor=, where `%` begins a specifier (systemd.unit(5)). A path that cannot be
 * written there is left out: systemd starts the VM again until the file exists.
 */
function quotePath(path: string): string[] {
  if (/["'\\\p{Cc}]/u.test(path)) return []
  const escaped = path.replaceAll('%', '%%')
  return [escaped.includes(' ') ? `"${escaped}"` : escaped]
}
