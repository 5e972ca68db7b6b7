/**
 * Families of cards that people buy for a VM. What a kernel knows of a card (isolation, resets) is in
 * pci/quirks/ and is never repeated here.
 *
 * Sources, looked up in 2026-12: ids from pci.ids; drivers of Linux from modules.alias of Debian's kernel
 * 6.1; drivers of FreeBSD from the section HARDWARE of the manual page named (bge(4): release notes of 8.4).
 */
import type { DeviceClass } from '../pci/device.ts'

export type CardFamily = {
  readonly name: string
  readonly class: DeviceClass
  readonly vendor: string
  /** The first one stands for the family where a card is asked for by its name. */
  readonly devices: readonly string[]
  /** More words that people use for it. */
  readonly words: readonly string[]
  /** Ports of the usual card, each a function of its own. */
  readonly ports: number
  readonly linux: string
  /** The manual page of FreeBSD's driver that names the card; null: not looked up, or none does. */
  readonly freebsd: string | null
}

type Row = readonly [
  name: string,
  devices: string,
  ports: number,
  linux: string,
  freebsd: string | null,
  words?: string,
]

function rows(kind: DeviceClass, vendor: string, list: readonly Row[]): CardFamily[] {
  return list.map(([name, devices, ports, linux, freebsd, words = '']) => ({
    ...{ name, class: kind, vendor, devices: devices.split(' '), ports, linux, freebsd },
    words: words.split(' ').filter((word) => word !== ''),
  }))
}

export const families: readonly CardFamily[] = [
  ...rows('nic', '8086', [
    ['Intel I350', '1521 1522 1523 1524', 4, 'igb', 'igb(4)', 'quad gigabit i350-t4 i350-t2'],
    ['Intel 82576', '10c9 10e6 10e7 10e8 150a 150d 1518 1526', 2, 'igb', 'igb(4)', 'dual gigabit et'],
    ['Intel 82580', '150e 150f 1510 1511 1516 1527', 4, 'igb', 'igb(4)', 'quad gigabit'],
    ['Intel I210', '1533 1536 1537 1538 157b 157c', 1, 'igb', 'igb(4)', 'gigabit i210-t1'],
    ['Intel I225', '15f2 15f3', 1, 'igc', 'igc(4)', '2.5g'],
    ['Intel I226', '125b 125c', 1, 'igc', null, '2.5g'],
    ['Intel 82599 (X520)', '10fb 1557 154d 10f8 10fc', 2, 'ixgbe', 'ix(4)', '10g sfp+ x520-da2 82599es'],
    ['Intel X540', '1528 1560', 2, 'ixgbe', 'ix(4)', '10g x540-t2'],
    ['Intel X550', '1563 15d1', 2, 'ixgbe', 'ix(4)', '10g x550-t2'],
    [
      'Intel X710',
      '1572 15ff 1589 158a 158b 1583',
      4,
      'i40e',
      'ixl(4)',
      '10g xl710 xxv710 x710-da4 x710-da2',
    ],
    ['Intel E810', '1592 1593 159b', 2, 'ice', 'ice(4)', '25g 100g e810-xxvda2 e810-cqda2'],
  ]),
  ...rows('nic', '14e4', [
    ['Broadcom BCM5719', '1657', 4, 'tg3', 'bge(4)', 'quad gigabit netxtreme'],
    ['Broadcom BCM5720', '165f', 2, 'tg3', 'bge(4)', 'dual gigabit netxtreme'],
    ['Broadcom BCM57810', '168e', 2, 'bnx2x', null, '10g netxtreme2'],
    ['Broadcom BCM57416', '16d8', 2, 'bnxt_en', null, '10g netxtreme-e'],
  ]),
  ...rows('nic', '15b3', [
    ['Mellanox ConnectX-3', '1003 1007', 1, 'mlx4_core', null, '10g 40g cx3'],
    ['Mellanox ConnectX-4', '1013 1015', 2, 'mlx5_core', 'mlx5en(4)', '25g 100g cx4 lx'],
    ['Mellanox ConnectX-5', '1017 1019', 2, 'mlx5_core', 'mlx5en(4)', '25g 100g cx5'],
    ['Mellanox ConnectX-6', '101b 101d 101f', 2, 'mlx5_core', 'mlx5en(4)', '25g 100g cx6 dx'],
  ]),
  ...rows('nic', '10ec', [
    ['Realtek RTL8111/8168', '8168', 1, 'r8169', 're(4)', 'gigabit rtl8111 rtl8168'],
    ['Realtek RTL8125', '8125', 1, 'r8169', null, '2.5g rtl8125'],
  ]),
  ...rows('nic', '1425', [['Chelsio T5', '5401 5410', 2, 'cxgb4', null, '10g t520 t580']]),
  ...rows('storage', '1000', [
    ['LSI SAS2008', '0072', 1, 'mpt3sas', 'mps(4)', 'hba 9211-8i 9211 h200 m1015'],
    ['LSI SAS2308', '0086 0087', 1, 'mpt3sas', 'mps(4)', 'hba 9207-8i 9207'],
    ['LSI SAS3008', '0097', 1, 'mpt3sas', 'mpr(4)', 'hba 9300-8i 9300'],
    ['LSI SAS3408', '00af', 1, 'mpt3sas', 'mpr(4)', 'hba 9400-8i 9400'],
  ]),
  ...rows('storage', '1b21', [
    ['ASMedia ASM1062', '0612', 1, 'ahci', null, 'sata asm1061'],
    ['ASMedia ASM1166', '1166', 1, 'ahci', null, 'sata'],
  ]),
  ...rows('storage', '197b', [['JMicron JMB585', '0585', 1, 'ahci', null, 'sata']]),
  ...rows('storage', '1b4b', [['Marvell 88SE9215/9230', '9215 9230 9235', 1, 'ahci', null, 'sata']]),
  ...rows('nvme', '144d', [['Samsung NVMe', 'a808 a80a a809 a804', 1, 'nvme', null, 'ssd 970 980 990']]),
  ...rows('nvme', '15b7', [['SanDisk/WD NVMe', '5006 5011 5009', 1, 'nvme', null, 'ssd sn750 sn850']]),
]
