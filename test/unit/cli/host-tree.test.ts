import { describe, expect, it } from 'vitest'
import { renderDevice } from '../../../src/show/text/host-device.ts'
import { renderHostTable } from '../../../src/show/text/host-table.ts'
import { renderHostTree } from '../../../src/show/text/host-tree.ts'
import { styler } from '../../../src/show/text/style.ts'
import { judgeHost } from '../../../src/judge/judge.ts'
import { device, host, need, rootPort } from '../../support/host-builder.ts'

const look = { style: styler(false), columns: 80 }
const nic = { kind: 'nic', group: 9, resetMethods: ['pm'] } as const
const home = host(
  [
    device('00:1f.0', { kind: 'isa', group: 7 }),
    device('00:1f.2', {
      kind: 'storage',
      group: 7,
      disks: [{ name: 'sda', sizeBytes: 2 ** 30, model: 'QEMU HARDDISK' }],
    }),
    rootPort('00:01.0', 1, { group: 1, physicalSlot: '1' }),
    rootPort('00:02.0', 2, { group: 2 }),
    device('01:00.0', { ...nic, networkInterfaces: [{ name: 'eth1', permanentMac: '52:54:00:00:00:01' }] }),
    device('01:00.1', { ...nic, name: 'nasty \u001b[31m name' }),
  ],
  { needs: [need('00:1f.2', '/', ['sda1'])], distribution: { id: 'debian', versionId: '12' } },
)
const judgement = judgeHost(home)

describe('inspect as text', () => {
  it('draws ports, cards and functions with their verdicts, 80 columns wide', () => {
    const text = renderHostTree(home, judgement, look)
    expect(text).toMatchInlineSnapshot(`
      "Host   capture · debian 12 · Linux 6.1.0 · 8 CPUs · 32 GiB
      IOMMU  on (Intel VT-d) · interrupt remapping on · 4 groups

      bus 00
      ├─ 00:01.0 root port, slot 1
      │  └─ 82574L Gigabit Network Connection [8086:10d3]
      │     ├─ ✓ ready    01:00.0  group 9  e1000e
      │     │       eth1 52:54:00:00:00:01
      │     └─ ✓ ready    01:00.1  group 9  e1000e
      │             nasty  [31m name [8086:10d3]
      └─ 82801IR/IO/IH SATA Controller [8086:2922]
         └─ ✗ refused  00:1f.2  group 7  ahci
                 sda 1 GiB QEMU HARDDISK
                 carries /: / → sda1 → 0000:00:1f.2, group 7
                 shares IOMMU group 7 with 0000:00:1f.0, which stays with the host:
                 0000:00:1f.0 is the ISA bridge of this board, which lpc_ich holds

      part of the board, stays with the host: 00:1f.0
      1 port with nothing in it

      3 devices that could be asked for: 2 ready, 1 refused
      "
    `)
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
    expect(text).not.toContain('\u001b')
  })

  it('prints one line per function', () => {
    expect(renderHostTable(home, judgement, look)).toMatchInlineSnapshot(`
      "address      group verdict   driver   device
      0000:00:1f.0     7 ✗ refused lpc_ich  82801IB (ICH9) LPC Interface Controller […
      0000:00:1f.2     7 ✗ refused ahci     82801IR/IO/IH SATA Controller [8086:2922]…
      0000:00:01.0     1 ✗ refused pcieport QEMU PCIe Root port [1b36:000c]
      0000:00:02.0     2 ✗ refused pcieport QEMU PCIe Root port [1b36:000c]
      0000:01:00.0     9 ✓ ready   e1000e   82574L Gigabit Network Connection [8086:1…
      0000:01:00.1     9 ✓ ready   e1000e   nasty  [31m name [8086:10d3]
      "
    `)
  })

  it('tells everything about one device', () => {
    expect(renderDevice(home, judgement, home.devices[4]!, look)).toMatchInlineSnapshot(`
      "0000:01:00.0  82574L Gigabit Network Connection [8086:10d3]
        verdict     ✓ ready  
        ids         8086:10d3, class 020000
        driver      e1000e
        path        0000:00:01.0 root port
        group       9, together with 0000:01:00.1
                    a host driver holds a member
        reset       pm
        carries     eth1 52:54:00:00:00:01

      note[group-shared]: 2 functions leave the host together: 0000:01:00.0 and
          0000:01:00.1 (IOMMU group 9)
      note[no-reset]: 0000:01:00.0 resets only together with 0000:01:00.1
        help: give all of them to the same VM
      "
    `)
  })
})
