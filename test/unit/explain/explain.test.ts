import fc from '../../support/random.ts'
import { describe, expect, it } from 'vitest'
import { catalogue } from '../../../src/explain/catalogue.ts'
import { explain } from '../../../src/explain/explain.ts'
import { samples } from './samples.ts'

const one = (text: string) => {
  const found = explain(text)
  expect(found.length).toBe(1)
  return found[0]!
}

describe('explain', () => {
  it('says where a failure stands first, how often, and of which devices', () => {
    const text = [
      'Linux version 6.1.0',
      '[ 1.0] vfio-pci 0000:03:00.0: not ready 65535ms after FLR; giving up',
      '[ 2.0] usb 1-1: new device',
      '[ 3.0] vfio-pci 0000:0A:00.1: not ready 65535ms after FLR; giving up\r',
      '[ 4.0] vfio-pci 0000:03:00.0: not ready 65535ms after FLR; giving up',
    ].join('\n')
    expect(one(text)).toMatchObject({
      ...{ id: 'reset-failed', emitter: 'kernel', severity: 'error', line: 2, count: 3 },
      quote: '[ 1.0] vfio-pci 0000:03:00.0: not ready 65535ms after FLR; giving up',
      devices: ['0000:03:00.0', '0000:0a:00.1'],
    })
  })

  it('keeps the order of the text', () => {
    const lines = ['no-reset', 'group-not-viable', 'link-error'].map((id) => samples[id]?.[0] ?? '')
    expect(explain(lines.join('\n')).map(({ id, line }) => [id, line])).toEqual([
      ['no-reset', 1],
      ['group-not-viable', 2],
      ['link-error', 3],
    ])
  })

  it('fills in what the line names', () => {
    expect(one('vfio 0000:03:00.0: group 14 is not viable').proof).toBe(
      'ls -l /sys/kernel/iommu_groups/14/devices/*/driver',
    )
    const fault = one('DMAR: [DMA Write] Request device [03:00.1] fault addr fff00000 [fault reason 05]')
    expect(fault.devices).toEqual(['0000:03:00.1'])
    expect(fault.proof).toBe('lspci -nn -s 0000:03:00.1; handover inspect 0000:03:00.1')
    const domain = one('error: PCI device 0000:03:00.0 is in use by driver QEMU, domain box-2')
    expect(domain.proof).toBe('virsh list; virsh dumpxml box-2 | grep -A4 hostdev')
  })

  it('takes the device from a later line where the first names none', () => {
    const { proof, line } = one('no such host device: gone\nvfio 0000:03:00.0: no such host device: gone')
    expect([proof, line]).toEqual(['lspci -nn -s 0000:03:00.0; handover inspect', 1])
  })

  it('leaves a word in capitals where the line names nothing, or nothing that may be pasted', () => {
    expect(one('vfio: Unable to power on device, stuck in D3').proof).toMatch(/^setpci -s ADDRESS VENDOR_ID/)
    const hostile = one('PCI device 0000:03:00.0 is in use by driver QEMU, domain $(reboot)')
    expect(hostile.proof).toBe('virsh list; virsh dumpxml VM | grep -A4 hostdev')
    expect(one('Device x;reboot;x.y is behind a switch lacking ACS and cannot be assigned')).toMatchObject({
      proof: 'handover inspect ADDRESS',
      devices: [],
    })
  })

  it('prefers the particular to the general', () => {
    const refused = 'vfio 0000:03:00.0: failed to setup container for group 14: '
    expect(one(`${refused}No available IOMMU models`).id).toBe('vfio-type1-missing')
    expect(one(`${refused}something new`).id).toBe('container-refused')
    expect(one("Could not open '/usr/share/OVMF/x.fd': No such file or directory").id).toBe('firmware-absent')
  })

  it('reads through colours, marks of the clipboard and line ends of Windows', () => {
    const pasted = '\u001b[33mvfio 0000:03:00.0:\u001b[0m group\u00a014 is not viable\r\n'
    expect(one(pasted)).toMatchObject({ id: 'group-not-viable', quote: expect.not.stringMatching(/\u001b/) })
  })

  it('quotes one printable line, cut', () => {
    const { quote } = one(`group 14 is not viable \u202e\u009b2J\u0007${'x'.repeat(500)}`)
    expect(quote).toMatch(/^group 14 is not viable +2?J?x+…$/)
    expect(quote.length).toBe(240)
    expect(quote).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/)
  })
})

/** What these programs print when all is well. */
const ordinary = [
  '[    0.000000] Linux version 6.12.9-amd64 (debian-kernel@lists.debian.org)',
  '[    0.000000] DMAR: IOMMU enabled',
  '[    0.031] DMAR-IR: Enabled IRQ remapping in x2apic mode',
  '[    0.031] DMAR: Intel(R) Virtualization Technology for Directed I/O',
  '[    0.5] AMD-Vi: Interrupt remapping enabled',
  '[    0.5] AMD-Vi: Virtual APIC enabled',
  '[    0.5] pci 0000:03:00.0: Adding to iommu group 14',
  '[    0.5] pci 0000:03:00.0: BAR 0 [mem 0xfe000000-0xfe0fffff 64bit]',
  '[    0.5] pci 0000:03:00.0: BAR 0 [mem 0xfe000000-0xfe0fffff]: assigned',
  '[    0.5] pci 0000:00:1c.0: [8086:7ab8] type 01 class 0x060400 PCIe Root Port',
  '[    2.1] vfio_pci: add [10de:2484[ffffffff:ffffffff]] class 0x000000/00000000',
  '[    2.1] vfio-pci 0000:03:00.0: vgaarb: deactivate vga console',
  '[   11.1] vfio-pci 0000:03:00.0: enabling device (0000 -> 0003)',
  '[   11.1] vfio-pci 0000:03:00.0: resetting',
  '[   11.2] vfio-pci 0000:03:00.0: reset done',
  '[   12.0] vfio-pci 0000:03:00.0: ready 1023ms after FLR',
  '[   12.0] pcieport 0000:00:1c.0: AER: enabled with IRQ 122',
  '[   12.0] pcieport 0000:00:1c.0: AER: Corrected error message received from 0000:03:00.0',
  '[   12.0] nvme nvme0: 8/0/0 default/read/poll queues',
  '[   12.0] mpt3sas_cm0: doorbell is idle',
  '[   12.0] Out of memory: Killed process 99 (firefox) total-vm:1kB',
  '[   12.0] genirq: Flags mismatch irq 16. 00000080 (i801_smbus) vs. 00000000 (rtc)',
  'qemu-system-x86_64: terminating on signal 15 from pid 4711 (handover)',
  'char device redirected to /dev/pts/3 (label charserial0)',
  "2026-12-01T10:00:00.1Z qemu-system-x86_64: warning: host doesn't support requested feature: CPUID.07H:EBX.hle",
  'libvirtd[900]: libvirt version: 11.3.0, package: 3',
  'error: Domain not found: no domain with matching name',
  'Cannot bind to 0.0.0.0: Address already in use',
  'bash: /dev/vfio/14: No such file or directory',
  '01:00.0 VGA compatible controller [0300]: NVIDIA Corporation GA104 [10de:2484] (rev a1)',
  'the driver reported code 43 lines ago',
]

describe('nothing is explained', () => {
  it.each(ordinary)('of %s', (line) => expect(explain(line).map(({ id }) => id)).toEqual([]))

  it('of an empty text', () => expect(explain('')).toEqual([]))
})

describe('a hostile text', () => {
  const pieces = [
    ...Object.values(samples).flat(),
    ...['BAR 1 ', 'BAR 1: ', 'vfio-pci ', 'AMD-Vi: ', 'nvme ', 'mpt2sas: doorbell ', 'not ready 1ms after '],
    ...[
      'Failed to get ',
      "open '/dev/vfio/",
      'vfio_dma_map(',
      '/dev/net/tun',
      "Could not open '/",
      '0000:03:00.0 ',
    ],
    ...['\u001b[', '\u009b', '\u0000', '\n', '\r', ' ', '{device}', '$&', 'x'.repeat(300)],
  ]

  it('never gets a control character, a line of its own or a placeholder into what is shown', () => {
    const text = fc.array(fc.constantFrom(...pieces), { maxLength: 40 }).map((parts) => parts.join(''))
    fc.assert(
      fc.property(text, (said) => {
        for (const { proof, remedy, quote, devices } of explain(said)) {
          expect([proof, quote, ...remedy].join('')).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/)
          expect([proof, ...remedy].join(' ')).not.toMatch(/\{\w+\}/)
          for (const device of devices)
            expect(device).toMatch(/^[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/)
        }
      }),
    )
  })

  it.each(pieces.map((piece) => [piece.slice(0, 40), piece]))(
    'costs no more when it repeats %j in one line and in many',
    (_, piece) => {
      const size = 128 * 1024
      const begun = performance.now()
      explain(piece.replaceAll('\n', ' ').repeat(Math.ceil(size / piece.length)))
      explain(`${piece}\n`.repeat(Math.ceil(size / (piece.length + 1))))
      // A 256th of the two inputs of 64 MiB: what takes a second here takes four minutes there.
      expect(performance.now() - begun).toBeLessThan(3000)
    },
  )

  it('that names more addresses than a machine can have is not kept whole', () => {
    const lines = Array.from({ length: 6000 }, (_, n) => {
      const bus = (n >> 8).toString(16).padStart(2, '0')
      const slot = ((n >> 3) & 31).toString(16).padStart(2, '0')
      return `vfio-pci 0000:${bus}:${slot}.${n & 7}: Cannot bind to PF with SR-IOV enabled`
    })
    expect(one(lines.join('\n'))).toMatchObject({ count: 6000, devices: { length: 4096 } })
  })
})

it('no signature shadows another: each is reached by its sample', () => {
  const reached = new Set(explain(Object.values(samples).flat().join('\n')).map(({ id }) => id))
  expect(reached.size).toBe(catalogue.length)
})
