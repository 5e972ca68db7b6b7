/**
 * Checks right before a start that the virtual functions of the VMs have the settings of the spec. If the
 * host failed to set them during the boot, a guest would be in a wrong VLAN.
 */
import type { JournalRecord } from '../apply/journal.ts'
import { readPath } from '../steps/check-identity.ts'
import { virtualNumber } from '../pci/identity.ts'
import { findPort, physicalOf } from '../steps/read-functions.ts'
import { isSameSetting, parseVirtualFunctions, pickSettings, settingWords } from '../pci/virtual-functions.ts'
import type { Spec } from '../spec/spec.ts'
import type { Reader } from '../machine/system.ts'

export function checkFunctions(reader: Reader, spec: Spec, record: JournalRecord): string[] {
  const wrong: string[] = []
  for (const vm of spec.vms) {
    for (const { role, select } of vm.devices) {
      const made = spec.host.virtualFunctions?.find(({ name }) => name === select.virtualFunction)
      const given = record.assignments.find((one) => one.vm === vm.name && one.role === role)
      const number = virtualNumber(given && readPath(reader, given.address))
      const wanted = number === undefined ? undefined : made?.functions[number]
      if (
        given === undefined ||
        number === undefined ||
        wanted === undefined ||
        settingWords(wanted).length === 0
      )
        continue
      const card = physicalOf(reader, given.address)
      const port = card && findPort(reader, card)
      const text = port === undefined ? undefined : reader.showLink?.(port)
      const found = text?.ok ? parseVirtualFunctions(text.value)?.get(number) : undefined
      const is = found && pickSettings(found, wanted)
      if (is !== undefined && isSameSetting(is, wanted)) continue
      const has = is === undefined ? 'settings that cannot be read' : settingWords(is).join(' ')
      wrong.push(`${given.address}: it has ${has}, the spec wants ${settingWords(wanted).join(' ')}`)
    }
  }
  return wrong
}
