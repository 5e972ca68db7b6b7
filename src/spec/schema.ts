/**
 * The spec's keys, each with its one sentence: the parser, docs/spec.md and the JSON Schema for editors all
 * come from here. It describes what is *written* (units, defaults left out); spec/from-written.ts turns that
 * into a Spec.
 */
import { z } from 'zod'
import { deviceSchema } from './device-schema.ts'
import { hostSchema } from './host-schema.ts'
import { count, duration, flag, mac, name, pattern, size, text } from './schema-parts.ts'

const diskSchema = z.strictObject({
  path: text('path').describe('The image file on the host.'),
  size: size('size').optional().describe('Created with this size when the file is missing.'),
  format: z.enum(['qcow2', 'raw'], { error: 'format is qcow2 or raw' }).optional().describe('Default qcow2.'),
  'read-only': flag('read-only').optional().describe('The guest cannot write to it.'),
  serial: text('serial').optional().describe('The serial number the guest sees.'),
})

const networkSchema = z.strictObject({
  bridge: text('bridge').describe('The host bridge this virtual port is plugged into.'),
  mac: mac
    .optional()
    .describe(
      'Default: made from the VM name, the same every time, and another for every port. ' +
        'Hosts on one network that run VMs of one name need it written.',
    ),
})

const kernelSchema = z.strictObject({
  image: text('image').describe('The kernel file.'),
  initrd: text('initrd').optional().describe('The initial RAM disk.'),
  cmdline: z.string({ error: 'cmdline is a text' }).optional().describe('The kernel arguments.'),
})

const readySchema = z.strictObject({
  report: z
    .literal(true, { error: 'report: true is the only value' })
    .optional()
    .describe('The guest says so itself, over its report channel.'),
  ping: text('ping').optional().describe('This host answers a ping.'),
  tcp: pattern(/^\S+:\d{1,5}$/, 'tcp is host:port, such as 192.168.1.1:22')
    .optional()
    .describe('This host:port accepts a connection.'),
  http: pattern(/^https?:\/\/\S+$/, 'http is an address that starts with http:// or https://')
    .optional()
    .describe('This address answers.'),
  within: duration('within').optional().describe('How long it may take; default 120 s.'),
})

const vmSchema = z.strictObject(
  {
    memory: size('memory').describe(
      'Guest memory. With a passed-through device all of it is pinned: the host cannot use ' +
        'it for anything else.',
    ),
    cpus: count('cpus', 512).optional().describe('Number of virtual processors; default 1.'),
    firmware: z
      .enum(['bios', 'uefi'], { error: 'firmware is bios or uefi' })
      .optional()
      .describe('What the guest starts from; default bios. A graphics card usually wants uefi.'),
    guest: z
      .enum(['linux', 'freebsd', 'other'], { error: 'guest is linux, freebsd or other' })
      .optional()
      .describe('What runs inside; decides what `verify` can ask of it. Default other.'),
    devices: z
      .record(name, deviceSchema, { error: 'devices is a map from role to device' })
      .optional()
      .describe('The real devices, by the role they have in this VM: `wan`, `media-disks`.'),
    disks: z.array(diskSchema, { error: 'disks is a list' }).optional().describe('Disk images on the host.'),
    iso: text('iso').optional().describe('A CD image to boot from when no disk boots: an installer.'),
    kernel: kernelSchema.optional().describe('Start this kernel directly instead of booting from a disk.'),
    networks: z
      .array(networkSchema, { error: 'networks is a list' })
      .optional()
      .describe('Virtual network ports.'),
    needs: z
      .array(name, { error: 'needs is a list of VM names' })
      .optional()
      .describe(
        'VMs that must be ready before this one starts; `host-network` when it must wait ' +
          'for the network of this host.',
      ),
    serves: z
      .array(text('serves'), { error: 'serves is a list of words' })
      .optional()
      .describe(
        'What people and machines get from it, in your words: `internet`, `films`. Named ' +
          'when it will be down. `host-address` and `host-internet` mean that this host ' +
          'itself depends on it.',
      ),
    ready: readySchema.optional().describe('When it counts as up. Absent: as soon as it runs.'),
    autostart: flag('autostart').optional().describe('Starts with the host; default true.'),
    vnc: flag('vnc')
      .optional()
      .describe('A virtual screen on a socket of the host; default true, but false with `kernel`.'),
    hugepages: flag('hugepages')
      .optional()
      .describe(
        'Take the memory from huge pages, which are set aside for it (`host: hugepages`); default false.',
      ),
    'one-numa-node': flag('one-numa-node')
      .optional()
      .describe('All its devices must hang on one NUMA node; default false.'),
    engine: z
      .enum(['qemu', 'libvirt'], { error: 'engine is qemu or libvirt' })
      .optional()
      .describe('What runs it; default qemu. libvirt is a word for later and refused now.'),
  },
  { error: 'a VM is a map of keys such as memory and devices' },
)

const amount = (what: string) =>
  z
    .number({ error: `${what} is a number` })
    .min(0, { error: `${what} is 0 or more` })
    .max(1e9, { error: `${what} is too large` })
const hoursPerDay = amount('hours-per-day')
  .max(24, { error: 'hours-per-day is at most 24' })
  .optional()
  .describe('How long it runs each day; default 24.')

const savingsSchema = z.strictObject(
  {
    price: amount('price').optional().describe('What a kilowatt-hour costs.'),
    currency: text('currency').optional().describe('The word for your money; default EUR.'),
    'hours-per-day': hoursPerDay,
    years: amount('years')
      .min(1, { error: 'years is at least 1' })
      .optional()
      .describe('Over how many years to count; default 5.'),
    host: z
      .strictObject({
        watts: amount('watts').optional().describe('What this host draws with its VMs running, measured.'),
        purchase: amount('purchase').optional().describe('What it cost.'),
      })
      .optional()
      .describe('This host.'),
    replaced: z
      .array(
        z.strictObject({
          name: text('name').describe('What it is.'),
          watts: amount('watts').optional().describe('What it draws, measured.'),
          'hours-per-day': hoursPerDay,
          purchase: amount('purchase').optional().describe('What it would cost to buy.'),
        }),
        { error: 'replaced is a list' },
      )
      .optional()
      .describe('The boxes this host stands for.'),
  },
  { error: 'savings is a map with price, host and replaced' },
)

export const specSchema = z
  .strictObject(
    {
      version: z.literal(1, { error: 'version is 1' }).describe('The version of this file format: 1.'),
      host: hostSchema.optional().describe('What the host keeps and gives up.'),
      vms: z
        .record(name, vmSchema, { error: 'vms is a map from name to VM' })
        .describe('The virtual machines, by name. Their order decides who chooses first.'),
      savings: savingsSchema
        .optional()
        .describe(
          'Figures for `handover savings`. Nothing is guessed: what you leave out is named ' +
            'as something to measure.',
        ),
    },
    { error: 'a spec is a map with version and vms' },
  )
  .describe('A Handover spec.')

/** The spec as written, once its shape is right. */
export type WrittenSpec = z.infer<typeof specSchema>
export type WrittenVm = z.infer<typeof vmSchema>
export type WrittenDevice = z.infer<typeof deviceSchema>
