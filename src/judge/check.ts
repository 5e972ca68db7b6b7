/**
 * The shape of a check: one question about one function, answered from the view with reasons (none: nothing
 * against it).
 */
import type { PciDevice } from '../pci/device.ts'
import type { Reason } from './types.ts'
import type { HostView } from './host-view.ts'

/**
 * What a check answers for most functions: one value for all, since thousands of functions are asked every
 * question.
 */
export const nothing: readonly Reason[] = []

export type Check = (device: PciDevice, view: HostView) => readonly Reason[]
