/**
 * Vendor ids for the words that lspci prints without `-nn`, for makers of platforms and of devices that are
 * often given to VMs, because some isolation rules depend on the vendor alone. The words are those of
 * pci.ids, where each belongs to one id.
 */
import { defined } from '../../base/defined.ts'
const vendors: readonly (readonly [string, string])[] = [
  ['Intel Corporation', '8086'],
  ['Advanced Micro Devices, Inc. [AMD/ATI]', '1002'],
  ['Advanced Micro Devices, Inc. [AMD]', '1022'],
  ['NVIDIA Corporation', '10de'],
  ['ASMedia Technology Inc.', '1b21'],
  ['Realtek Semiconductor Co., Ltd.', '10ec'],
  ['Chengdu Haiguang IC Design Co., Ltd.', '1d94'],
  ['Loongson Technology LLC', '0014'],
  ['Zhaoxin', '1d17'],
]

/**
 * The vendor id for a function's name, and the device id if lspci knew no name (`Intel Corporation Device
 * 4637`).
 */
export function idsFromWords(name: string): { readonly vendorId?: string; readonly deviceId?: string } {
  const [words, vendorId] = vendors.find(([vendor]) => name.startsWith(`${vendor} `)) ?? []
  if (words === undefined || vendorId === undefined) return {}
  const deviceId = /^Device ([0-9a-f]{4})$/.exec(name.slice(words.length + 1))?.[1]
  return { vendorId, ...defined({ deviceId }) }
}
