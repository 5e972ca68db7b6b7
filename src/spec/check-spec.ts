/**
 * Checks that a schema cannot express: references between parts of a spec, and values that contradict each
 * other.
 */
import { defined } from '../base/defined.ts'
import type { Finding } from '../base/finding.ts'
import { didYouMean } from '../base/did-you-mean.ts'
import { placeOf, type SpecPlaces } from './places.ts'
import type { WrittenDevice, WrittenSpec, WrittenVm } from './schema.ts'
import { plainMac } from './schema-parts.ts'
import type { SpecPath } from './spec.ts'
import { parseDuration, parseSize } from './units.ts'

/** The one word in `needs` that is not a VM: it means the network of the host itself. */
export const hostNetwork = 'host-network'

const maxRoles = 1024

type Report = (path: SpecPath, message: string, help?: string, part?: 'key' | 'value') => void

/**
 * `touched`: places where something wrong was removed before. Findings about these places are dropped,
 * because they would repeat the first one.
 */
export function checkWritten(
  written: WrittenSpec,
  places: SpecPlaces,
  touched: readonly SpecPath[] = [],
): Finding[] {
  const findings: Finding[] = []
  const report: Report = (path, message, help, part) => {
    if (touched.some((one) => path.every((step, i) => one[i] === step))) return
    const at = placeOf(places, path, part)
    findings.push({
      code: 'spec-value',
      severity: 'error',
      message,
      ...defined({ help, at }),
    })
  }
  checkSize(['host', 'reserve'], written.host?.reserve, report)
  checkKernelArguments(written, report)
  checkVirtualFunctions(written, report)
  checkPortMacs(written, report)
  if (Object.keys(written.vms).length === 0)
    report(
      ['vms'],
      'there is no VM in vms',
      'add a VM: its name, and below the name keys such as memory and devices',
    )
  for (const [name, vm] of Object.entries(written.vms)) checkVm(name, vm, written, report)
  if (hostNetwork in written.vms)
    report(
      ['vms', hostNetwork],
      `a VM cannot have the name ${hostNetwork}`,
      'in needs, this word means the network of this host',
      'key',
    )
  const roles = Object.values(written.vms).flatMap((vm) => Object.keys(vm.devices ?? {})).length
  if (roles > maxRoles)
    report(['vms'], `the VMs have ${roles} devices in all`, `at most ${maxRoles} are planned together`, 'key')
  checkNeedsCycle(written, report)
  return findings
}

function checkKernelArguments(written: WrittenSpec, report: Report): void {
  const args = written.host?.['kernel-arguments'] ?? []
  for (const [i, raw] of args.entries())
    if (args.slice(0, i).includes(raw))
      report(['host', 'kernel-arguments', i], `${raw} is in the list twice`, 'remove one of the two')
}

function checkVirtualFunctions(written: WrittenSpec, report: Report): void {
  const macs = new Set<string>()
  for (const [name, { 'physical-function': of, count, functions = [] }] of Object.entries(
    written.host?.['virtual-functions'] ?? {},
  )) {
    const at = ['host', 'virtual-functions', name]
    if (Object.keys(of).length === 0)
      report(
        [...at, 'physical-function'],
        `${name} names no card`,
        'give its serial number or its MAC address',
        'key',
      )
    if (of['virtual-function'] !== undefined)
      report(
        [...at, 'physical-function'],
        `${name} would be virtual functions of a virtual function`,
        'name a card',
      )
    if (functions.length > count)
      report(
        [...at, 'functions'],
        `${name} sets up ${functions.length} functions, but its count is ${count}`,
        undefined,
        'key',
      )
    for (const [i, { mac }] of functions.entries()) {
      if (mac === undefined) continue
      const path = [...at, 'functions', i, 'mac']
      refuseGroupAddress(path, mac, report)
      if (macs.has(plainMac(mac))) report(path, `${mac} is given to two virtual functions`)
      macs.add(plainMac(mac))
    }
  }
}

/** If two ports on a bridge have the same MAC, one of them receives the frames meant for the other. */
function checkPortMacs(written: WrittenSpec, report: Report): void {
  const users = new Map<string, string>()
  for (const [name, { networks = [] }] of Object.entries(written.vms))
    for (const [i, { mac }] of networks.entries()) {
      if (mac === undefined) continue
      const path = ['vms', name, 'networks', i, 'mac']
      refuseGroupAddress(path, mac, report)
      const other = users.get(plainMac(mac))
      if (other !== undefined)
        report(
          path,
          `${mac} is already the address of a port of ${other}`,
          'leave mac out: each port then gets an address of its own',
        )
      users.set(plainMac(mac), name)
    }
}

function refuseGroupAddress(path: SpecPath, mac: string, report: Report): void {
  if (Number.parseInt(mac.slice(0, 2), 16) % 2 === 1)
    report(path, `${mac} is a group address`, 'the second digit of the MAC address of a port is even')
}

function checkFunctionOf(
  at: SpecPath,
  role: string,
  device: WrittenDevice,
  { written, report }: Checking,
): void {
  const { number, 'virtual-function': word } = device
  const known = written.host?.['virtual-functions'] ?? {}
  if (word === undefined) {
    if (number !== undefined)
      report(
        [...at, 'number'],
        `${role} has a number but no virtual-function`,
        'for a port of a card, write `port`',
      )
    return
  }
  const made = Object.hasOwn(known, word) ? known[word] : undefined
  const near = didYouMean(word, Object.keys(known))
  if (made === undefined)
    report(
      [...at, 'virtual-function'],
      `${role} names ${word}, but host: virtual-functions has no entry of that name`,
      near === undefined ? undefined : `did you mean ${near}?`,
    )
  else if (number !== undefined && number >= made.count)
    report(
      [...at, 'number'],
      `${word} has ${made.count} virtual functions, numbered from 0`,
      `use 0 to ${made.count - 1}`,
    )
}

type Checking = { readonly written: WrittenSpec; readonly report: Report }

function checkVm(name: string, vm: WrittenVm, written: WrittenSpec, report: Report): void {
  const at = ['vms', name]
  checkSize([...at, 'memory'], vm.memory, report)
  vm.disks?.forEach((disk, i) => checkSize([...at, 'disks', i, 'size'], disk.size, report))
  for (const [role, device] of Object.entries(vm.devices ?? {})) {
    checkFunctionOf([...at, 'devices', role], `${role} of ${name}`, device, { written, report })
    checkKind([...at, 'devices', role], `${role} of ${name}`, device, report)
  }
  checkReady(name, vm, report)
  if (vm.engine === 'libvirt')
    report(
      [...at, 'engine'],
      `the engine of ${name} is libvirt, but only qemu is supported`,
      'leave engine out',
    )
  vm.needs?.forEach((needed, i) => {
    if (needed === name) report([...at, 'needs', i], `${name} needs itself`)
    else if (!Object.hasOwn(written.vms, needed) && needed !== hostNetwork) {
      const near = didYouMean(needed, [...Object.keys(written.vms), hostNetwork])
      report(
        [...at, 'needs', i],
        `${name} needs ${needed}, but there is no such VM`,
        near && `did you mean ${near}?`,
      )
    }
  })
}

/** A selector must say what kind of device it selects. */
function checkKind(at: SpecPath, role: string, device: WrittenDevice, report: Report): void {
  const keys = Object.keys(device)
  if (keys.length === 0)
    report(at, `${role} names no device`, 'give at least its class, such as `class: nic`', 'key')
  else if (keys.every((key) => key === 'card' || key === 'pair' || key === 'port'))
    report(at, `${role} does not say what kind of device it is`, 'add its class, such as `class: nic`', 'key')
}

function checkReady(name: string, vm: WrittenVm, report: Report): void {
  if (!vm.ready) return
  const at = ['vms', name, 'ready']
  const checks = (['report', 'ping', 'tcp', 'http'] as const).filter((key) => vm.ready?.[key] !== undefined)
  const oneOf = 'give exactly one of report, ping, tcp and http'
  if (checks.length === 0) report(at, `ready of ${name} does not say what must answer`, oneOf, 'key')
  if (checks.length > 1) report(at, `ready of ${name} has ${checks.join(' and ')}`, oneOf, 'key')
  if (vm.ready.within !== undefined && parseDuration(vm.ready.within) === undefined)
    report([...at, 'within'], `${vm.ready.within} is not a time between 1 s and 24 h`)
  const port = Number(vm.ready.tcp?.split(':').at(-1) ?? 1)
  if (port < 1 || port > 65_535)
    report([...at, 'tcp'], `${port} is not a TCP port`, 'a port is a number from 1 to 65535')
}

function checkSize(path: SpecPath, text: string | undefined, report: Report): void {
  if (text === undefined || parseSize(text) !== undefined) return
  report(path, `${text} is not a whole number of MiB above zero`, 'write a size such as 512 MiB or 1.5 GiB')
}

/** VMs whose `needs` form a circle would wait for each other forever. Each circle is reported once. */
function checkNeedsCycle(written: WrittenSpec, report: Report): void {
  const settled = new Set<string>()
  for (const start of Object.keys(written.vms)) {
    const trail: string[] = []
    const visit = (name: string): void => {
      const from = trail.indexOf(name)
      if (from > 0 || (from === 0 && trail.length > 1)) {
        const round = [...trail.slice(from), name]
        report(
          ['vms', trail.at(-1) ?? name, 'needs'],
          `these VMs wait for each other: ${round.join(' → ')}`,
          `remove ${name} from the needs of ${trail.at(-1) ?? name}, or break the circle elsewhere`,
        )
        return
      }
      if (from === 0 || settled.has(name)) return
      trail.push(name)
      for (const needed of written.vms[name]?.needs ?? [])
        if (Object.hasOwn(written.vms, needed) && needed !== name) visit(needed)
      trail.pop()
      settled.add(name)
    }
    visit(start)
  }
}
