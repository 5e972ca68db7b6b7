/** Puts the stand-in for QEMU on PATH, with what it is to do. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export type Behaviour = {
  /** Lines of the guest's report; null: the guest says nothing. */
  readonly report?: readonly string[] | null
  /** What query-pci says of the devices: the guest's place of each, by the name it was given. */
  readonly places?: readonly Readonly<Record<string, unknown>>[]
  /** Goes down when the power button is pressed. */
  readonly powersOff?: boolean
  /** Ends as soon as the guest runs. */
  readonly ends?: boolean
  /** Milliseconds until it opens its sockets. */
  readonly opensAfter?: number
  /** The guest speaks without end, in single bytes. */
  readonly chatters?: boolean
}

/** `folder` is put before PATH by the caller. */
export function standInQemu(folder: string, behaviour: Behaviour): void {
  const source = readFileSync(join(import.meta.dirname, 'stand-in-qemu.cjs'), 'utf8')
  writeFileSync(join(folder, 'qemu-system-x86_64'), `#!${process.execPath}\n${source}`, { mode: 0o755 })
  // Else a package.json in some folder above would decide what kind of module it is.
  writeFileSync(join(folder, 'package.json'), '{}')
  const {
    report = null,
    places = [],
    powersOff = true,
    ends = false,
    opensAfter = 0,
    chatters = false,
  } = behaviour
  writeFileSync(
    join(folder, 'behaviour.json'),
    JSON.stringify({ report, places, powersOff, ends, opensAfter, chatters }),
  )
}
