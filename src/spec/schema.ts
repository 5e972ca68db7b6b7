/**
 * The keys of the spec, each described by one sentence. The parser, docs/spec.md and the JSON Schema for
 * editors all use this schema. It describes the spec as written (with units, without defaults);
 * spec/from-written.ts turns that into a Spec.
 */
import { z } from 'zod'
import { roleSchema } from './device-schema.ts'
import { hostSchema } from './host-schema.ts'
import { count, duration, flag, mac, name, pattern, size, text } from './schema-parts.ts'

const diskSchema = z.strictObject({
  path: text('path').describe('The image file on the host.'),
  size: size('size').optional().describe('If the file is missing, it is created with this size.'),
  format: z.enum(['qcow2', 'raw'], { error: 'format is qcow2 or raw' }).optional().describe('Default qcow2.'),
  'read-only': flag('read-only').optional().describe('The guest cannot write to it.'),
  serial: text('serial').optional().describe('The serial number that the guest sees.'),
})

const networkSchema = z.strictObject({
  bridge: text('bridge').describe('The bridge of the host to which this virtual port is connected.'),
  mac: mac
    .optional()
    .describe(
      'Default: an address that follows from the VM name and the number of the port, so it never changes. ' +
        'If two hosts on one network run VMs of the same name, write it.',
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
    .describe('The guest reports over its report channel that it is ready.'),
  ping: text('ping').optional().describe('This host answers a ping.'),
  tcp: pattern(/^\S+:\d{1,5}$/, 'tcp is host:port, such as 192.168.1.1:22')
    .optional()
    .describe('This host:port accepts a connection.'),
  http: pattern(/^https?:\/\/\S+$/, 'http is an address that starts with http:// or https://')
    .optional()
    .describe('This address answers.'),
  within: duration('within').optional().describe('The longest time that this may take; default 120 s.'),
})

const vmSchema = z.strictObject(
  {
    memory: size('memory').describe(
      'Guest memory. If the VM has a real device, all of its memory is pinned: the host cannot use ' +
        'that memory for anything else.',
    ),
    cpus: count('cpus', 512).optional().describe('Number of virtual processors; default 1.'),
    firmware: z
      .enum(['bios', 'uefi'], { error: 'firmware is bios or uefi' })
      .optional()
      .describe('The firmware of the guest; default bios. A graphics card usually needs uefi.'),
    guest: z
      .enum(['linux', 'freebsd', 'other'], { error: 'guest is linux, freebsd or other' })
      .optional()
      .describe('The operating system of the guest. `verify` checks more for a known system. Default other.'),
    devices: z
      .record(name, roleSchema, { error: 'devices is a map from role to device' })
      .optional()
      .describe('The real devices, by their roles in this VM, such as `wan` or `media-disks`.'),
    disks: z.array(diskSchema, { error: 'disks is a list' }).optional().describe('Disk images on the host.'),
    iso: text('iso')
      .optional()
      .describe('A CD image, such as an installer. The guest boots from it if no disk boots.'),
    kernel: kernelSchema.optional().describe('Start this kernel directly instead of booting from a disk.'),
    networks: z
      .array(networkSchema, { error: 'networks is a list' })
      .optional()
      .describe('Virtual network ports.'),
    needs: z
      .array(name, { error: 'needs is a list of VM names' })
      .optional()
      .describe(
        'VMs that must be ready before this one starts; `host-network` if it must wait ' +
          'for the network of this host.',
      ),
    serves: z
      .array(text('serves'), { error: 'serves is a list of words' })
      .optional()
      .describe(
        'What people and machines get from this VM, in your words, such as `internet` or `films`. The plan ' +
          'names it if the VM will be down. `host-address` and `host-internet` mean that this host ' +
          'itself depends on this VM.',
      ),
    ready: readySchema
      .optional()
      .describe('When the VM counts as ready. Without this key it is ready as soon as it runs.'),
    autostart: flag('autostart').optional().describe('The VM starts with the host; default true.'),
    vnc: flag('vnc')
      .optional()
      .describe('A virtual screen on a socket of the host; default true, but false with `kernel`.'),
    hugepages: flag('hugepages')
      .optional()
      .describe('The VM takes its memory from huge pages, which `host: hugepages` reserves; default false.'),
    'one-numa-node': flag('one-numa-node')
      .optional()
      .describe('All devices of the VM must be attached to one NUMA node; default false.'),
    engine: z
      .enum(['qemu', 'libvirt'], { error: 'engine is qemu or libvirt' })
      .optional()
      .describe('The program that runs the VM; default qemu. libvirt is not supported yet and is refused.'),
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
    price: amount('price').optional().describe('The price of a kilowatt-hour.'),
    currency: text('currency').optional().describe('Your currency; default EUR.'),
    'hours-per-day': hoursPerDay,
    years: amount('years')
      .min(1, { error: 'years is at least 1' })
      .optional()
      .describe('The number of years to count; default 5.'),
    host: z
      .strictObject({
        watts: amount('watts').optional().describe('The measured power of this host while its VMs run.'),
        purchase: amount('purchase').optional().describe('The price of this host.'),
      })
      .optional()
      .describe('This host.'),
    replaced: z
      .array(
        z.strictObject({
          name: text('name').describe('The name of the box.'),
          watts: amount('watts').optional().describe('The measured power of the box.'),
          'hours-per-day': hoursPerDay,
          purchase: amount('purchase').optional().describe('The price of such a box.'),
        }),
        { error: 'replaced is a list' },
      )
      .optional()
      .describe('The boxes that this host replaces.'),
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
        .describe('The virtual machines, by name. An earlier VM chooses its devices first.'),
      savings: savingsSchema
        .optional()
        .describe(
          'Figures for `handover savings`. Nothing is guessed: the report lists every figure that you ' +
            'leave out as one to measure.',
        ),
    },
    { error: 'a spec is a map with version and vms' },
  )
  .describe('A Handover spec.')

/** The spec as written, after the schema accepted it. */
export type WrittenSpec = z.infer<typeof specSchema>
export type WrittenVm = z.infer<typeof vmSchema>
export type WrittenDevice = z.infer<typeof roleSchema>
