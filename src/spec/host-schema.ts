/** The section of the spec about the host: what it keeps and gives up, and how it is set up for its VMs. */
import { z } from 'zod'
import { deviceSchema } from './device-schema.ts'
import { count, flag, mac, name, pattern, size, text } from './schema-parts.ts'

/**
 * Allows only characters that a shell, GRUB's script and the kernel all read literally, so that every boot
 * loader passes the same word.
 */
const kernelArgument = pattern(
  /^[A-Za-z0-9][A-Za-z0-9_.,:=/+@%^!~[\]-]*$/,
  'a kernel argument is one word, such as iommu=pt; it holds no blanks, quotes, $, ; or &, ' +
    'because boot loaders quote them in different ways',
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
  error: 'only boot-display, text-console, keyboard and things that the host does not need can be given up',
})

const functionSchema = z.strictObject(
  {
    mac: mac.optional().describe('The MAC address of the virtual function in the guest.'),
    vlan: z
      .int({ error: 'vlan is a whole number' })
      .min(0, { error: 'vlan is 0 (none) or more' })
      .max(4094, { error: 'vlan is at most 4094' })
      .optional()
      .describe('The VLAN of the virtual function. The card adds and removes the tag; 0 means no VLAN.'),
    trust: flag('trust')
      .optional()
      .describe(
        'The guest may change its MAC address and receive all frames; a bridge or CARP in it needs this.',
      ),
    'spoof-check': flag('spoof-check')
      .optional()
      .describe('The card drops frames that the guest sends with another MAC address or VLAN.'),
  },
  { error: 'a virtual function is a map of keys such as mac and vlan' },
)

const virtualFunctionsSchema = z.strictObject(
  {
    'physical-function': deviceSchema.describe(
      'The card that provides the virtual functions. It stays with the host and keeps its driver.',
    ),
    count: count('count', 256).describe('The number of virtual functions of the card.'),
    functions: z
      .array(functionSchema, { error: 'functions is a list' })
      .optional()
      .describe(
        'The settings of each virtual function, from number 0. A setting that you leave out stays unchanged.',
      ),
  },
  { error: 'virtual functions are a map with physical-function, count and functions' },
)

export const hostSchema = z.strictObject(
  {
    keep: z
      .array(text('keep'), { error: 'keep is a list' })
      .optional()
      .describe(
        'What stays with the host in addition to what it needs: addresses, interface names, disk ' +
          'serials, names of devices.',
      ),
    'give-up': z
      .array(giveUpWord, { error: 'give-up is a list' })
      .optional()
      .describe(
        'What you give away although the host uses it: `boot-display`, ' +
          '`text-console`, `keyboard`, or what a warning names (an interface, a bridge, a ' +
          'mount point, a disk serial, a MAC address). The root and boot file systems and the only ' +
          'network connection cannot be given up.',
      ),
    'not-in-use': z
      .array(text('not-in-use'), { error: 'not-in-use is a list' })
      .optional()
      .describe(
        'Devices that the host does not use, as you know, although Handover cannot find out: a MAC ' +
          'address, a disk serial, a WWN, a serial number of the card, or its path; not a PCI ' +
          'address, which may change. It settles a doubt; a device that is proven to be needed stays.',
      ),
    reserve: size('reserve').optional().describe('Memory that the host keeps for itself; default 1 GiB.'),
    hugepages: z
      .enum(['2 MiB', '1 GiB'], { error: 'hugepages is 2 MiB or 1 GiB' })
      .optional()
      .describe(
        'The size of the huge pages that are reserved for all VMs with `hugepages: true`: 2 MiB at ' +
          'once and at every boot, 1 GiB by kernel arguments and a reboot. If this key is absent, you ' +
          'reserve them yourself.',
      ),
    'virtual-functions': z
      .record(name, virtualFunctionsSchema, {
        error: 'virtual-functions is a map from a word of your choice to a card',
      })
      .optional()
      .describe(
        'Virtual functions (SR-IOV) to create on cards of the host, now and early at every ' +
          'boot, under a word of your choice that devices refer to.',
      ),
    'kernel-arguments': z
      .array(kernelArgument, { error: 'kernel-arguments is a list' })
      .max(64, { error: 'kernel-arguments has at most 64' })
      .optional()
      .describe(
        'Additional arguments for the kernel of this host, such as `iommu=pt`. Handover adds those ' +
          'that the IOMMU needs by itself. An argument that you remove from this list stays ' +
          'in the boot configuration until `handover rollback`.',
      ),
    'foreign-ids': z
      .enum(['keep', 'remove'], { error: 'foreign-ids is keep or remove' })
      .optional()
      .describe(
        'What happens to ids that somebody gave to vfio-pci or pci-stub (`vfio-pci.ids=` ' +
          'on the kernel command line, `options vfio-pci ids=` in /etc/modprobe.d, ' +
          '/etc/initramfs-tools/modules): `keep` shows them and leaves them alone, `remove` ' +
          'removes them, after one trial boot if kernel arguments change.',
      ),
  },
  { error: 'host is a map of keys such as keep, give-up and reserve' },
)
