/**
 * The VMs as services of systemd: a template, a drop-in for each VM with what it waits for, and one file by
 * which the host wants those that start with it. Text only; who writes it is apply/.
 */
import templateAsset from '../../assets/boot/handover-vm@.service?raw'
import { stateFolder } from '../base/own-folders.ts'
import { ownHeader, type OwnFile } from './own-file.ts'
import { scriptText } from './script.ts'

/** The installed program. A unit never runs a checkout: that can be changed by whoever owns its folder. */
export const installedProgram = '/usr/bin/handover'

export const unitFolder = '/etc/systemd/system'
export const vmTemplatePath = `${unitFolder}/handover-vm@.service`
export const vmTargetPath = `${unitFolder}/multi-user.target.d/handover.conf`

/** Names of VMs need no escaping in names of units (spec/schema-parts.ts). */
export function vmUnitName(vm: string): string {
  return `handover-vm@${vm}.service`
}

export function vmDropInPath(vm: string): string {
  return `${unitFolder}/${vmUnitName(vm)}.d/handover.conf`
}

/** The VM whose drop-in is in a folder of this name. */
export function vmOfUnitFolder(name: string): string | undefined {
  return /^handover-vm@([a-z][a-z0-9-]{0,31})\.service\.d$/.exec(name)?.[1]
}

/** What a unit has to know of its VM. */
export type VmUnit = {
  readonly vm: string
  readonly startsWithHost: boolean
  /** VMs that are started before it. */
  readonly needs: readonly string[]
  /** Files and block devices that it starts from: absolute paths. */
  readonly paths: readonly string[]
  readonly bridges: readonly string[]
  readonly needsHostNetwork: boolean
  /** The longest start, with all it waits for. */
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
 * What it waits for is wanted, not required: a VM whose firewall failed asks for itself whether that answers
 * (app/unit.ts), and is started again later. A VM that only a person starts is not pulled in.
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

/** A path as the name of a unit: `unit_name_path_escape` of systemd (src/basic/unit-name.c). */
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
 * A path in RequiresMountsFor=, where `%` is a specifier (systemd.unit(5)). A path that cannot be written
 * there orders nothing: its VM is started again until the file is there.
 */
function quotePath(path: string): string[] {
  if (/["'\\\p{Cc}]/u.test(path)) return []
  const escaped = path.replaceAll('%', '%%')
  return [escaped.includes(' ') ? `"${escaped}"` : escaped]
}
