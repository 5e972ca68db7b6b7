/** The spec's section about the host: what it keeps and gives up, and how it is set up for its VMs. */
import { z } from 'zod'
import { deviceSchema } from './device-schema.ts'
import { count, flag, mac, name, pattern, size, text } from './schema-parts.ts'

/**
 * Signs that neither a shell, GRUB's script nor the kernel reads in a way of its own: the word is the same
 * everywhere.
 */
const kernelArgument = pattern(
  /^[A-Za-z0-9][A-Za-z0-9_.,:=/+@%^!~[\]-]*$/,
  'a kernel argument is one word, such as iommu=pt; blanks, quotes and $ ; & need quoting, ' +
    'which boot loaders do differently',
)

const never = new Set([
  '/',
  '/boot',
  '/boot/efi',
  'root',
  'boot',
  'esp',
  'swap',
  'disk',
  'network',
  'default route',
])

const giveUpWord = text('give-up').refine((word) => !never.has(word.toLowerCase()), {
  error: 'only boot-display, text-console, keyboard and what the host can do without can be given up',
})

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
      .describe(
        'The guest may change its MAC address and listen to everything: needed for a bridge or CARP inside.',
      ),
    'spoof-check': flag('spoof-check')
      .optional()
      .describe('The card drops what the guest sends with another MAC address or VLAN.'),
  },
  { error: 'a virtual function is a map of keys such as mac and vlan' },
)

const virtualFunctionsSchema = z.strictObject(
  {
    'physical-function': deviceSchema.describe(
      'The card they are made on. It stays with the host, with its driver.',
    ),
    count: count('count', 256).describe('How many the card makes.'),
    functions: z
      .array(functionSchema, { error: 'functions is a list' })
      .optional()
      .describe('How each is set up, from number 0. What you leave out stays as the card has it.'),
  },
  { error: 'virtual functions are a map with physical-function, count and functions' },
)

export const hostSchema = z.strictObject(
  {
    keep: z
      .array(text('keep'), { error: 'keep is a list' })
      .optional()
      .describe(
        'What stays with the host beyond what it needs: addresses, interface names, disk ' +
          'serials, names of devices.',
      ),
    'give-up': z
      .array(giveUpWord, { error: 'give-up is a list' })
      .optional()
      .describe(
        'What you really give away although the host uses it: `boot-display`, ' +
          '`text-console`, `keyboard`, or what a warning names (an interface, a bridge, a ' +
          'mount point, a disk serial, a MAC address). Never its root, boot or only way in.',
      ),
    'not-in-use': z
      .array(text('not-in-use'), { error: 'not-in-use is a list' })
      .optional()
      .describe(
        'Devices that you know the host does not use, where it cannot be found out: a MAC ' +
          'address, a disk serial, a WWN, a serial number of the card, or its path; never an ' +
          'address, which may move. It settles a doubt, and nothing that is proven to be needed.',
      ),
    reserve: size('reserve').optional().describe('Memory the host keeps for itself; default 1 GiB.'),
    hugepages: z
      .enum(['2 MiB', '1 GiB'], { error: 'hugepages is 2 MiB or 1 GiB' })
      .optional()
      .describe(
        'The size of the huge pages set aside for all VMs with `hugepages: true`: 2 MiB at ' +
          'once and at every boot, 1 GiB by kernel arguments and a reboot. Absent: you set ' +
          'them aside yourself.',
      ),
    'virtual-functions': z
      .record(name, virtualFunctionsSchema, {
        error: 'virtual-functions is a map from a word of yours to a card',
      })
      .optional()
      .describe(
        'Virtual functions (SR-IOV) made on cards of the host, now and early at every ' +
          'boot, under a word of your own that devices name.',
      ),
    'kernel-arguments': z
      .array(kernelArgument, { error: 'kernel-arguments is a list' })
      .max(64, { error: 'kernel-arguments has at most 64' })
      .optional()
      .describe(
        'Further arguments for the kernel of this host, such as `iommu=pt`. What the IOMMU ' +
          'needs is added without being asked for. An argument taken out of this list stays ' +
          'where it was written: `handover rollback` takes it back.',
      ),
    'foreign-ids': z
      .enum(['keep', 'remove'], { error: 'foreign-ids is keep or remove' })
      .optional()
      .describe(
        'What becomes of ids that somebody gave to vfio-pci or pci-stub (`vfio-pci.ids=` ' +
          'on the kernel command line, `options vfio-pci ids=` in /etc/modprobe.d, ' +
          '/etc/initramfs-tools/modules): `keep` shows them and leaves them alone, `remove` ' +
          'takes them out, with one trial boot first where kernel arguments change.',
      ),
  },
  { error: 'host is a map of keys such as keep, give-up and reserve' },
)
