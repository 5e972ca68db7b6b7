import { expect, it } from 'vitest'
import { shortName } from '../../../src/judge/words.ts'

it.each([
  ['Intel Corporation I350 Gigabit Network Connection', 'Intel I350 Gigabit Network Connection'],
  ['Advanced Micro Devices, Inc. [AMD] FCH SATA Controller', 'AMD FCH SATA Controller'],
  ['Advanced Micro Devices, Inc. [AMD/ATI] Ellesmere [Radeon RX 470]', 'AMD/ATI Ellesmere [Radeon RX 470]'],
  ['Samsung Electronics Co Ltd NVMe SSD Controller SM981', 'Samsung NVMe SSD Controller SM981'],
  ['Broadcom Inc. and subsidiaries NetXtreme BCM5720', 'Broadcom NetXtreme BCM5720'],
  ['Realtek Semiconductor Co., Ltd. RTL8125 2.5GbE Controller', 'Realtek RTL8125 2.5GbE Controller'],
  ['Intel Corporation', 'Intel Corporation'],
  ['', ''],
])('%s → %s', (name, short) => expect(shortName(name)).toBe(short))
