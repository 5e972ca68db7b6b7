/**
 * Can the device be brought back to a known state between guests, by what would really be used and not by
 * what is listed.
 */
import type { PciAddress } from '../../pci/address.ts'
import type { PciDevice } from '../../pci/device.ts'
import { resetReportsOf } from '../../pci/quirks/reset-reports.ts'
import type { ResetJudgement, ResetNote } from '../../pci/reset.ts'
import { nothing, type Check } from '../check.ts'
import { notes, says } from '../reasons.ts'
import type { Reason } from '../types.ts'
import { addressesText } from '../words.ts'

export const checkReset: Check = (device, view) => {
  const reset = view.resetOf(device.address)
  if (!reset) return nothing
  const ofClass = resetClassReasons(device.address, reset)
  const ofBugs = bugReasons(device.address, reset)
  const reported = reportReasons(device)
  if (ofClass.length === 0 && ofBugs.length === 0 && reported.length === 0) return nothing
  const about = [device.address]
  return [...ofClass, ...ofBugs, ...reported].map((reason) => ({ ...reason, about }))
}

const leftovers = 'what one run of a VM leaves in it, the next one finds'

type Drawback = Omit<Reason, 'code' | 'about'>

function resetClassReasons(address: PciAddress, reset: ResetJudgement): readonly Reason[] {
  const drawback = drawbackOf(address, reset)
  return drawback === undefined ? nothing : [{ code: 'no-reset', ...drawback }]
}

function drawbackOf(address: PciAddress, reset: ResetJudgement): Drawback | undefined {
  const isMisleading = reset.notes.some((note) => note.kind === 'misleadingBus')
  const misleading = isMisleading ? ' (the listed bus reset will be refused)' : ''
  switch (reset.class) {
    case 'none':
      return {
        severity: 'warning',
        ...says(address, `has no usable reset${misleading}: ${leftovers}`),
        help: 'it may work only once per start of the host; try it before relying on it',
      }
    case 'power':
      return {
        severity: 'note',
        ...says(
          address,
          `resets only by a change of power state${misleading}, which may or may not clear it`,
        ),
        help: 'start the VM twice before relying on it',
      }
    case 'together':
      return {
        severity: 'note',
        ...says(address, `resets only together with ${addressesText(reset.together)}${misleading}`),
        help: 'give all of them to the same VM',
        mates: reset.together,
      }
    case 'function':
    case 'bus':
    case 'unknown':
      return undefined
  }
}

/** What users report decides nothing, and the message says that it is a report. */
function reportReasons({ address, vendorId, deviceId }: PciDevice): readonly Reason[] {
  if (vendorId === undefined || deviceId === undefined) return nothing
  return resetReportsOf(vendorId, deviceId).map(({ of, what, source, date }) => ({
    code: 'reset-bug',
    severity: 'note',
    ...notes(address, `users report of ${of}: ${what} (${source}, ${date})`),
    help: 'start and stop the VM twice before relying on it',
  }))
}

/** Quirks that a kernel has are no bug of this host as long as another reset is left. */
function bugReasons(address: PciAddress, reset: ResetJudgement): readonly Reason[] {
  if (reset.notes.length === 0) return nothing
  return reset.notes
    .filter((note) => isBug(note, reset))
    .map((note) => ({
      code: 'reset-bug',
      severity: 'warning',
      ...notes(address, `${note.about}${sinceText(note)}`),
      help: helpFor(note, address, reset),
    }))
}

function sinceText({ kind, sinceKernel, inDoubt }: ResetNote): string {
  if (sinceKernel === undefined) return ''
  if (inDoubt) return ` (Linux ${sinceKernel} and newer know this; whether this kernel does is not known)`
  return kind === 'quirkMissing' ? ` (Linux ${sinceKernel} and newer know this, this kernel does not)` : ''
}

const restart = 'expect to restart the host after the VM stops'

/** A newer kernel is advice only where it has what this one lacks. */
function helpFor(note: ResetNote, address: PciAddress, { instead }: ResetJudgement): string {
  if (note.kind === 'vendorReset')
    return 'load the vendor-reset module before its first reset, and bind vfio-pci from the start of the host'
  const file = `/sys/bus/pci/devices/${address}/reset_method`
  if (instead !== undefined) return `apply leaves it only what works: ${instead.join(' ')} in ${file}`
  if (note.inDoubt)
    return `use one of these kernels to be sure, or ${restart}; ${file} lists what this kernel uses`
  return note.kind === 'quirkMissing' ? `use a newer kernel, or ${restart}` : restart
}

function isBug(note: ResetNote, reset: ResetJudgement): boolean {
  if (note.kind === 'vendorReset' || note.kind === 'quirkMissing' || note.inDoubt) return true
  // What resets it is not known: then a rule that takes one way away says nothing of the others.
  const mayWork = reset.class === 'function' || reset.class === 'bus' || reset.class === 'unknown'
  return !mayWork && (note.kind === 'noFlr' || note.kind === 'noBusReset' || note.kind === 'noPmReset')
}
