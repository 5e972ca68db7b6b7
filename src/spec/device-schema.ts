/** How a spec says which device is meant. */
import { z } from 'zod'
import { count, mac, name, pattern, text } from './schema-parts.ts'

const deviceClasses = ['nic', 'storage', 'nvme', 'gpu', 'usb', 'audio', 'other'] as const

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
          'A word of your own for a physical card: all roles with the same word share one ' +
            'card, other words are other cards.',
        ),
      pair: name
        .optional()
        .describe(
          'A word of your own for ports of one chip (functions of one slot): all roles ' +
            'with the same word share it.',
        ),
      port: count('port', 64)
        .optional()
        .describe('Which of its kind on the card, counted from 1 in the order of addresses.'),
      slot: z
        .union([z.int(), z.string()], { error: 'slot is the number or name of the socket on the board' })
        .optional()
        .describe('The socket on the board, as the firmware numbers it.'),
      name: text('name')
        .optional()
        .describe('A part of the name `handover inspect` shows, upper or lower case.'),
      ids: pattern(/^[0-9a-f]{4}:[0-9a-f]{4}$/i, 'ids are vendor:device in hex, such as 8086:1521')
        .optional()
        .describe('Vendor and device id.'),
      mac: mac.optional().describe('The MAC address burnt into the network port.'),
      serial: text('serial').optional().describe('The serial number of the card or NVMe drive.'),
      disk: text('disk').optional().describe('The serial number of a disk behind the controller.'),
      path: text('path')
        .optional()
        .describe('The place without bus numbers, as `handover inspect` shows it.'),
      address: pattern(
        /^(?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[01][0-9a-f]\.[0-7]$/i,
        'an address looks like 0000:01:00.0 or 01:00.0',
      )
        .optional()
        .describe(
          'Where it answers today. Addresses change when a card is added; every other key is better.',
        ),
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
