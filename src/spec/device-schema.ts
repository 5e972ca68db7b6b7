/** The keys with which a spec selects a device. */
import { z } from 'zod'
import { count, mac, name, pattern, text } from './schema-parts.ts'

const deviceClasses = ['nic', 'storage', 'nvme', 'gpu', 'usb', 'audio', 'other'] as const

/** Words that people use for a class, besides the class itself. */
export const otherClassWords: Readonly<Record<string, (typeof deviceClasses)[number]>> = {
  ...{ network: 'nic', ethernet: 'nic', lan: 'nic', wan: 'nic', net: 'nic', port: 'nic', netcard: 'nic' },
  ...{ wifi: 'nic', wlan: 'nic' },
  ...{ hba: 'storage', sata: 'storage', sas: 'storage', ahci: 'storage', scsi: 'storage', raid: 'storage' },
  ...{ disk: 'storage', disks: 'storage', controller: 'storage', ssd: 'nvme', m2: 'nvme', 'm.2': 'nvme' },
  ...{ vga: 'gpu', graphics: 'gpu', display: 'gpu', video: 'gpu', screen: 'gpu', vgpu: 'gpu' },
  ...{ xhci: 'usb', sound: 'audio' },
}

export const deviceSchema = z
  .strictObject(
    {
      class: z
        .enum(deviceClasses, { error: `class is one of ${deviceClasses.join(', ')}` })
        .optional()
        .describe('The kind of device: a network port, a disk controller, a graphics card …'),
      card: name
        .optional()
        .describe(
          'A word of your choice for a physical card: all roles with the same word share one ' +
            'card, and different words mean different cards.',
        ),
      pair: name
        .optional()
        .describe(
          'A word of your choice for ports of one chip (functions of one slot): all roles ' +
            'with the same word share the chip.',
        ),
      port: count('port', 64)
        .optional()
        .describe(
          'The number of the port among those of its class on the card, from 1, in the order of addresses.',
        ),
      slot: z
        .union([z.int(), z.string()], { error: 'slot is the number or name of the socket on the board' })
        .optional()
        .describe('The socket on the board, as the firmware numbers it.'),
      name: z
        .union([text('name'), z.int()], { error: 'name is a part of the name of a device, as a text' })
        .optional()
        .describe('A part of the name that `handover inspect` shows, in upper or lower case.'),
      ids: pattern(/^[0-9a-f]{4}:[0-9a-f]{4}$/i, 'ids are vendor:device in hex, such as 8086:1521')
        .optional()
        .describe('Vendor and device id.'),
      mac: mac.optional().describe('The permanent MAC address of the network port.'),
      serial: text('serial').optional().describe('The serial number of the card or NVMe drive.'),
      disk: text('disk').optional().describe('The serial number of a disk behind the controller.'),
      path: text('path')
        .optional()
        .describe('The path of the device without bus numbers, as `handover inspect` shows it.'),
      address: pattern(
        /^(?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[01][0-9a-f]\.[0-7]$/i,
        'an address looks like 0000:01:00.0 or 01:00.0',
      )
        .optional()
        .describe(
          'The PCI address of the device today. Adding a card can change it; every other key is better.',
        ),
      'virtual-function': name
        .optional()
        .describe('One of the virtual functions that `host: virtual-functions` makes under this word.'),
      number: z
        .int({ error: 'number is a whole number' })
        .min(0, { error: 'number is 0 or more' })
        .max(255, { error: 'number is at most 255' })
        .optional()
        .describe('The number of the virtual function, from 0 as the kernel counts.'),
      'numa-node': z
        .int({ error: 'numa-node is a whole number' })
        .min(0, { error: 'numa-node is 0 or more' })
        .optional()
        .describe('The NUMA node to which the device must be attached.'),
    },
    { error: 'a device is described by keys such as class, card, serial, disk or address' },
  )
  .describe('Selects a device by what you know about it. The device must match all given keys.')

export const roleSchema = deviceSchema
  .extend({
    optional: z
      .boolean({ error: 'optional is true or false' })
      .optional()
      .describe('The VM also starts without this device, and `handover up` says so; default false.'),
  })
  .describe('Selects a device by what you know about it. The device must match all given keys.')
