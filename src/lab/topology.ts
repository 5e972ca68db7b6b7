/**
 * A lab host as data: IOMMU kind, root ports, cards, disks, networks. The parser turns YAML into this value
 * and collects what is wrong as findings with places.
 */
import { LineCounter, parseDocument } from 'yaml'
import { z } from 'zod'
import type { Finding } from '../base/finding.ts'
import { topologyFindings, type Placer } from './topology-findings.ts'
import { installedKinds } from './installed/systems.ts'

const mac = z
  .string()
  .regex(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/, 'a MAC address such as 52:54:00:12:34:56, in lower case')
const name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/, 'a name of letters, digits, dots and dashes')

/** Sizes are written as people do (`48 MiB`) and kept in MiB. */
const size = z
  .string()
  .regex(/^\d{1,6} ?(MiB|GiB)$/, 'a size such as 512 MiB or 2 GiB')
  .transform((text) => Number.parseInt(text, 10) * (text.endsWith('GiB') ? 1024 : 1))

const disk = z.strictObject({ serial: name, size, files: z.record(name, size).optional() })

const labFunction = z.strictObject({
  device: z.enum(['e1000e', 'igb', 'ahci', 'nvme', 'bochs-display', 'xhci', 'lsi53c895a', 'virtio-net']),
  mac: mac.optional(),
  /** A name under `networks`; without one the port's cable leads nowhere. */
  network: name.optional(),
  /** `management`: the host itself lives on this NIC. */
  use: z.enum(['management']).optional(),
  serial: name.optional(),
  size: size.optional(),
  disks: z.array(disk).max(6).optional(),
})

const functions = z.array(labFunction).min(1).max(8)

/**
 * A root port holds a card (its functions), a switch with downstream ports, or a bridge to conventional PCI.
 */
const port = z.strictObject({
  label: z.string().max(80),
  /**
   * Device number on the root bus, and the number of the physical slot; the position in the list when absent.
   */
  slot: z.number().int().min(1).max(27).optional(),
  acs: z.boolean().default(true),
  functions: functions.optional(),
  switch: z
    .array(z.strictObject({ label: z.string().max(80), functions }))
    .min(1)
    .max(16)
    .optional(),
  bridge: z
    .array(z.strictObject({ label: z.string().max(80), functions }))
    .min(1)
    .max(16)
    .optional(),
})

const topology = z.strictObject({
  version: z.literal(1),
  name,
  iommu: z.enum(['intel', 'amd', 'none']),
  cpus: z.number().int().min(1).max(16),
  memory: size,
  /** `lab`: a small system of the lab's own; the others are whole installations with a boot loader. */
  system: z.enum(['lab', ...installedKinds]).default('lab'),
  /**
   * `handover`: the whole story; `inspect`: boot, look, capture; `reboot`: change how it boots, for good and
   * back; `reboot-failures`: trial boots that go wrong; `package`: as `reboot`, by a Debian package that is
   * upgraded meanwhile; `power-cut`: the host loses its power while its VMs run.
   */
  story: z.enum(['handover', 'inspect', 'reboot', 'reboot-failures', 'package', 'power-cut']),
  spec: z.string().optional(),
  /** For the story `package`: the tool as Debian packages, one with a lower version first. */
  packages: z.tuple([z.string(), z.string()]).optional(),
  networks: z.record(name, z.strictObject({ kind: z.enum(['uplink', 'switch']) })),
  'boot-disk': z.strictObject({ serial: name }),
  ports: z.array(port).min(1).max(24),
})

export type Topology = z.infer<typeof topology>
export type LabPort = Topology['ports'][number]
export type LabFunction = z.infer<typeof labFunction>
export type LabDisk = z.infer<typeof disk>

/** Every function of the host with its place, in the order they are plugged in. */
export function functionsOf(host: Topology): { readonly label: string; readonly fn: LabFunction }[] {
  const cards = host.ports.flatMap((p) => [
    ...(p.functions ? [{ label: p.label, functions: p.functions }] : []),
    ...(p.switch ?? []),
    ...(p.bridge ?? []),
  ])
  return cards.flatMap((card) => card.functions.map((fn) => ({ label: card.label, fn })))
}

export function parseTopology(text: string, file: string): { topology?: Topology; findings: Finding[] } {
  const counter = new LineCounter()
  const document = parseDocument(text, { lineCounter: counter, maxAliasCount: 0 } as never)
  const findings: Finding[] = document.errors.slice(0, 20).map((error) => {
    const at = counter.linePos(error.pos[0])
    return {
      code: 'spec-syntax',
      severity: 'error',
      message: error.message.split('\n')[0] ?? 'not YAML',
      at: { file, line: at.line, column: at.col },
    }
  })
  if (findings.length > 0) return { findings }
  const written: unknown = document.toJS({ maxAliasCount: 0 })
  const parsed = topology.safeParse(written)
  const place: Placer = (path) => {
    for (let depth = path.length; depth >= 0; depth--) {
      const node: unknown = document.getIn(path.slice(0, depth), true)
      const range =
        typeof node === 'object' && node !== null && 'range' in node
          ? (node.range as number[] | undefined)
          : undefined
      if (!range) continue
      const at = counter.linePos(range[0] ?? 0)
      return { file, line: at.line, column: at.col }
    }
    return { file, line: 1, column: 1 }
  }
  if (!parsed.success) {
    findings.push(
      ...parsed.error.issues.flatMap((issue) => topologyFindings(issue, written, place)).slice(0, 20),
    )
    return { findings }
  }
  findings.push(...checkStory(parsed.data, place), ...checkNetworks(parsed.data, place))
  return findings.length > 0 ? { findings } : { topology: parsed.data, findings }
}

/**
 * Stories with a reboot need an installed system; the guests of the others are in the lab's own system only.
 */
function checkStory(host: Topology, place: Placer): Finding[] {
  const isReboot = host.story !== 'handover' && host.story !== 'inspect'
  if ((host.story === 'package') !== (host.packages !== undefined))
    return [
      {
        ...{
          code: 'spec-value',
          severity: 'error',
          message: 'the story package and the key packages go together',
        },
        at: place(['story']),
      },
    ]
  if (isReboot === (host.system !== 'lab')) return []
  return [
    {
      code: 'spec-value',
      severity: 'error',
      message: `the story ${host.story} does not run on the system ${host.system}`,
      help: `reboot, reboot-failures and package go with ${installedKinds.join(', ')}, others with lab`,
      at: place(['story']),
    },
  ]
}

function checkNetworks(host: Topology, place: Placer): Finding[] {
  const findings: Finding[] = []
  const macs = new Set<string>()
  const serials = new Set<string>()
  const slots = new Set<number>()
  const wrong = (message: string, help: string) =>
    findings.push({ code: 'spec-value', severity: 'error', message, help, at: place(['ports']) })
  for (const [index, { label, slot = index + 1 }] of host.ports.entries()) {
    if (slots.has(slot)) wrong(`${label}: slot ${slot} is taken`, 'give every port a slot of its own')
    slots.add(slot)
  }
  for (const { label, fn } of functionsOf(host)) {
    if (fn.network !== undefined && !host.networks[fn.network]) {
      wrong(
        `${label}: there is no network ${fn.network}`,
        `networks are: ${Object.keys(host.networks).join(', ') || 'none'}`,
      )
    }
    if (fn.mac !== undefined && macs.has(fn.mac))
      wrong(`${label}: ${fn.mac} is used twice`, 'give every port a MAC of its own')
    if (fn.mac !== undefined) macs.add(fn.mac)
    for (const { serial } of fn.disks ?? []) {
      if (serials.has(serial))
        wrong(`${label}: the serial ${serial} is used twice`, 'give every disk a serial of its own')
      serials.add(serial)
    }
  }
  return findings
}
