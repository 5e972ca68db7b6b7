/**
 * readHost: the running machine, or a tree with the same layout, as a Host value. It calls the readers and
 * collects what they could not read. It judges nothing; verdicts are computed from the value (judge/).
 */
import { defined } from '../../base/defined.ts'
import type { Finding } from '../../base/finding.ts'
import type { PciDevice } from '../../pci/device.ts'
import type { Reader } from '../../machine/system.ts'
import type { Host, HostNeed, SourceKind } from '../host.ts'
import { readBoot } from './read-boot.ts'
import { readReachedAddresses } from '../needs/network/addresses.ts'
import { networkFacts } from '../needs/network/facts.ts'
import { readFiles } from './read-files.ts'
import { groupOfFunction, groupsOf, listGroups } from './read-groups.ts'
import { listUnits, readIommu } from './read-iommu.ts'
import { readCpu, readDistribution, readKernel, readMemory } from './read-kernel.ts'
import { readNeeds } from './read-needs.ts'
import type { PciDetail } from './read-config.ts'
import { readPciDevices } from './read-pci.ts'
import { startReading, textOf, unreadableFindings, type Reading } from './reading.ts'

export function readHost(
  system: Reader,
  source?: { readonly kind: SourceKind; readonly name?: string },
  detail?: PciDetail,
): Host {
  const reading = startReading(system)
  const units = listUnits(reading)
  const list = listGroups(reading, units.ok ? units.value : [])
  const read = readPciDevices(reading, groupOfFunction(list), detail)
  const { groups, devices } = groupsOf(reading, list, read)
  const distribution = readDistribution(reading)
  const { needs, lost, blockDevices } = readNeeds(reading, devices)
  const hypervisor = textOf(reading, '/sys/hypervisor/type')
  return {
    schema: 1,
    source: source ?? { kind: system.live ? 'live' : 'sysfs' },
    ...defined({ distribution }),
    kernel: readKernel(reading),
    cpu: readCpu(reading),
    ...(hypervisor ? { hypervisor } : {}),
    memory: readMemory(reading),
    iommu: readIommu(reading, units, groups),
    devices,
    groups,
    needs,
    ...(lost.length > 0 ? { lostNeeds: lost } : {}),
    ...unreadNeeds(reading, devices),
    ...defined({ blockDevices }),
    bridges: bridgesOf(reading),
    ownAddresses: readReachedAddresses(reading),
    files: readFiles(reading),
    boot: readBoot(system),
    findings: [...reading.findings, ...shallowFindings(devices), ...unreadableFindings(reading)],
  }
}

/**
 * Findings about configuration space that could not be read. Every user may read 64 bytes of it; root may
 * read all.
 */
function shallowFindings(devices: readonly PciDevice[]): Finding[] {
  const findings: Finding[] = []
  const header = devices.filter((device) => device.facts?.depth === 'header')
  if (header.length > 0)
    findings.push({
      code: 'input-incomplete',
      severity: 'note',
      message:
        `${header.length} of ${devices.length} functions show only the first 64 bytes of ` +
        'configuration space, so their capabilities (ACS, FLR, serial numbers) are not known',
      help: 'run the same command as root',
    })
  const express = devices.filter((device) => device.facts?.depth === 'standard' && device.facts.portType)
  if (express.length > 0 && !devices.some((device) => device.facts?.depth === 'extended'))
    findings.push({
      code: 'input-incomplete',
      severity: 'note',
      message:
        'no function shows more than 256 bytes of configuration space, so the PCIe extended ' +
        'capabilities (ACS, serial numbers, SR-IOV) are not known',
      help: 'the firmware or the kernel gives no access to extended configuration space (ECAM, pci=nommconf)',
    })
  return findings
}

/**
 * The kinds of needs that the input does not cover, such as mounts and routes in an archive of /sys alone.
 * Every VGA function has `boot_vga` (drivers/pci/pci-sysfs.c, pci_dev_attrs_are_visible); an archive without
 * it does not show where the firmware's screen is.
 */
function unreadNeeds(reading: Reading, devices: readonly PciDevice[]): Pick<Host, 'unreadNeeds'> {
  const { system } = reading
  const unread: HostNeed['kind'][] = []
  if (!system.readText('/proc/self/mountinfo', 16 << 20).ok) unread.push('disk')
  if (networkFacts(reading).tables.isUnread) unread.push('network')
  if (!system.readText('/proc/bus/input/devices', 4 << 20).ok) unread.push('input')
  if (!system.readText('/sys/class/tty/console/active').ok) unread.push('console')
  if (isScreenUnread(reading, devices)) unread.push('display')
  return unread.length > 0 ? { unreadNeeds: unread } : {}
}

/** Other displays (0380) have no `boot_vga`; the list of framebuffers shows what is drawn on them. */
function isScreenUnread({ system }: Reading, devices: readonly PciDevice[]): boolean {
  const lacks = (code: string) =>
    devices.some((one) => one.classCode?.startsWith(code) === true && one.bootVga === undefined)
  return lacks('0300') || (lacks('0380') && !system.list('/sys/class/graphics').ok)
}

/** Names of the network bridges. */
function bridgesOf(reading: Reading): string[] {
  const { byName } = networkFacts(reading).interfaces
  return [...byName.values()].filter(({ kind }) => kind === 'bridge').map(({ name }) => name)
}
