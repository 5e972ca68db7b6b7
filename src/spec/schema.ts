/**
 * The spec's keys, each with its one sentence: the parser, docs/spec.md and the JSON Schema for editors all come from here.
 * It describes what is *written* (units, defaults left out); spec/from-written.ts turns that into a Spec.
 */
import { z } from 'zod'
import { durationPattern, sizePattern } from './units.ts'

const text = (what: string) => z.string({ error: `${what} is a text` }).min(1, { error: `${what} is empty` })
const flag = (what: string) => z.boolean({ error: `${what} is true or false` })
const count = (what: string, max: number) =>
  z
    .int({ error: `${what} is a whole number` })
    .min(1, { error: `${what} is at least 1` })
    .max(max, {
      error: `${what} is at most ${max}`,
    })
const size = (what: string) => {
  const error = `${what} is a size with its unit, such as 512 MiB or 16 GiB`
  return z.string({ error }).regex(sizePattern, { error })
}
const duration = (what: string) => {
  const error = `${what} is a time with its unit, such as 60 s or 2 min`
  return z.string({ error }).regex(durationPattern, { error })
}
const pattern = (regex: RegExp, error: string) => z.string({ error }).regex(regex, { error })

export const nameRule =
  'a name is lower-case letters, digits and dashes, starts with a letter, and has at most 32 of them'
const name = pattern(/^[a-z][a-z0-9-]{0,31}$/, nameRule)
const mac = pattern(
  /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i,
  'a MAC address is six pairs of hex digits, such as 52:54:00:12:34:56',
)

/** Signs that neither a shell, GRUB's script nor the kernel reads in a way of its own: the word is the same everywhere. */
const kernelArgument = pattern(
  /^[A-Za-z0-9][A-Za-z0-9_.,:=/+@%^!~[\]-]*$/,
  'a kernel argument is one word, such as iommu=pt; blanks, quotes and $ ; & need quoting, which boot loaders do differently',
)

export const deviceClasses = ['nic', 'storage', 'nvme', 'gpu', 'usb', 'audio', 'other'] as const
export const giveUps = ['boot-display', 'text-console', 'keyboard'] as const

export const deviceSchema = z
  .strictObject(
    {
      class: z
        .enum(deviceClasses, { error: `class is one of ${deviceClasses.join(', ')}` })
        .optional()
        .describe('What kind of device: a network port, a disk controller, a graphics card …'),
      card: name
        .optional()
        .describe(
          'A word of your own for a physical card: all roles with the same word share one card, other words are other cards.',
        ),
      pair: name
        .optional()
        .describe(
          'A word of your own for ports of one chip (functions of one slot): all roles with the same word share it.',
        ),
      port: count('port', 64)
        .optional()
        .describe('Which of its kind on the card, counted from 1 in the order of addresses.'),
      slot: z
        .union([z.int(), z.string()], { error: 'slot is the number or name of the socket on the board' })
        .optional()
        .describe('The socket on the board, as the firmware numbers it.'),
      name: text('name').optional().describe('A part of the name `handover inspect` shows, upper or lower case.'),
      ids: pattern(/^[0-9a-f]{4}:[0-9a-f]{4}$/i, 'ids are vendor:device in hex, such as 8086:1521')
        .optional()
        .describe('Vendor and device id.'),
      mac: mac.optional().describe('The MAC address burnt into the network port.'),
      serial: text('serial').optional().describe('The serial number of the card or NVMe drive.'),
      disk: text('disk').optional().describe('The serial number of a disk behind the controller.'),
      path: text('path').optional().describe('The place without bus numbers, as `handover inspect` shows it.'),
      address: pattern(
        /^(?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[01][0-9a-f]\.[0-7]$/i,
        'an address looks like 0000:01:00.0 or 01:00.0',
      )
        .optional()
        .describe('Where it answers today. Addresses change when a card is added; every other key is better.'),
      'virtual-function': name
        .optional()
        .describe('One of the virtual functions that `host: virtual-functions` makes under this word.'),
      number: z
        .int({ error: 'number is a whole number' })
        .min(0, { error: 'number is 0 or more' })
        .max(255, { error: 'number is at most 255' })
        .optional()
        .describe('Which of these virtual functions, counted from 0 as the kernel does.'),
      'numa-node': z
        .int({ error: 'numa-node is a whole number' })
        .min(0, { error: 'numa-node is 0 or more' })
        .optional()
        .describe('The NUMA node the device must hang on.'),
    },
    { error: 'a device is described by keys such as class, card, serial, disk or address' },
  )
  .describe('Which device, by what you know of it. All given keys must hold.')

const diskSchema = z.strictObject({
  path: text('path').describe('The image file on the host.'),
  size: size('size').optional().describe('Created with this size when the file is missing.'),
  format: z.enum(['qcow2', 'raw'], { error: 'format is qcow2 or raw' }).optional().describe('Default qcow2.'),
  'read-only': flag('read-only').optional().describe('The guest cannot write to it.'),
  serial: text('serial').optional().describe('The serial number the guest sees.'),
})

const networkSchema = z.strictObject({
  bridge: text('bridge').describe('The host bridge this virtual port is plugged into.'),
  mac: mac.optional().describe('Default: made from the VM name, the same every time.'),
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

export const vmSchema = z.strictObject(
  {
    memory: size('memory').describe(
      'Guest memory. With a passed-through device all of it is pinned: the host cannot use it for anything else.',
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
    networks: z.array(networkSchema, { error: 'networks is a list' }).optional().describe('Virtual network ports.'),
    needs: z
      .array(name, { error: 'needs is a list of VM names' })
      .optional()
      .describe(
        'VMs that must be ready before this one starts; `host-network` when it must wait for the network of this host.',
      ),
    serves: z
      .array(text('serves'), { error: 'serves is a list of words' })
      .optional()
      .describe(
        'What people and machines get from it, in your words: `internet`, `films`. Named when it will be down. `host-address` and `host-internet` mean that this host itself depends on it.',
      ),
    ready: readySchema.optional().describe('When it counts as up. Absent: as soon as it runs.'),
    autostart: flag('autostart').optional().describe('Starts with the host; default true.'),
    vnc: flag('vnc')
      .optional()
      .describe('A virtual screen on a socket of the host; default true, but false with `kernel`.'),
    hugepages: flag('hugepages')
      .optional()
      .describe('Take the memory from huge pages, which are set aside for it (`host: hugepages`); default false.'),
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

const functionSchema = z.strictObject(
  {
    mac: mac.optional().describe('The MAC address the guest finds on it.'),
    vlan: z
      .int({ error: 'vlan is a whole number' })
      .min(0, { error: 'vlan is 0 (none) or more' })
      .max(4094, { error: 'vlan is at most 4094' })
      .optional()
      .describe('The VLAN it is in, put on and taken off by the card; 0 is none.'),
    trust: flag('trust')
      .optional()
      .describe('The guest may change its MAC address and listen to everything: needed for a bridge or CARP inside.'),
    'spoof-check': flag('spoof-check')
      .optional()
      .describe('The card drops what the guest sends with another MAC address or VLAN.'),
  },
  { error: 'a virtual function is a map of keys such as mac and vlan' },
)

const virtualFunctionsSchema = z.strictObject(
  {
    'physical-function': deviceSchema.describe('The card they are made on. It stays with the host, with its driver.'),
    count: count('count', 256).describe('How many the card makes.'),
    functions: z
      .array(functionSchema, { error: 'functions is a list' })
      .optional()
      .describe('How each is set up, from number 0. What you leave out stays as the card has it.'),
  },
  { error: 'virtual functions are a map with physical-function, count and functions' },
)

const hostSchema = z.strictObject(
  {
    keep: z
      .array(text('keep'), { error: 'keep is a list' })
      .optional()
      .describe(
        'What stays with the host beyond what it needs: addresses, interface names, disk serials, names of devices.',
      ),
    'give-up': z
      .array(z.enum(giveUps, { error: `only ${giveUps.join(', ')} can be given up` }), { error: 'give-up is a list' })
      .optional()
      .describe('What you really give away although the host uses it. Never its root, boot or only way in.'),
    reserve: size('reserve').optional().describe('Memory the host keeps for itself; default 1 GiB.'),
    hugepages: z
      .enum(['2 MiB', '1 GiB'], { error: 'hugepages is 2 MiB or 1 GiB' })
      .optional()
      .describe(
        'The size of the huge pages set aside for all VMs with `hugepages: true`: 2 MiB at once and at every boot, 1 GiB by kernel arguments and a reboot. Absent: you set them aside yourself.',
      ),
    'virtual-functions': z
      .record(name, virtualFunctionsSchema, { error: 'virtual-functions is a map from a word of yours to a card' })
      .optional()
      .describe(
        'Virtual functions (SR-IOV) made on cards of the host, now and early at every boot, under a word of your own that devices name.',
      ),
    'kernel-arguments': z
      .array(kernelArgument, { error: 'kernel-arguments is a list' })
      .max(64, { error: 'kernel-arguments has at most 64' })
      .optional()
      .describe(
        'Further arguments for the kernel of this host, such as `iommu=pt`. What the IOMMU needs is added without being asked for. An argument taken out of this list stays where it was written: `handover rollback` takes it back.',
      ),
  },
  { error: 'host is a map of keys such as keep, give-up and reserve' },
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
          'Figures for `handover savings`. Nothing is guessed: what you leave out is named as something to measure.',
        ),
    },
    { error: 'a spec is a map with version and vms' },
  )
  .describe('A Handover spec.')

/** The spec as written, once its shape is right. */
export type WrittenSpec = z.infer<typeof specSchema>
export type WrittenVm = z.infer<typeof vmSchema>
export type WrittenDevice = z.infer<typeof deviceSchema>
