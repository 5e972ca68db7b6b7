/**
 * The boot records on disk, under /var/lib/handover/boots:
 *
 *     0007-BOOTID.json      the record of a boot (watch/record.ts), replaced as a whole
 *     0007-BOOTID.started   a VM started in this boot, and nothing was unsafe
 *     0007-BOOTID.accepted  an apply of this boot accepted the host as it is
 *
 * Numbers are counted, so a clock that is set back cannot change their order. A file may be damaged, edited
 * by hand or hostile: it is reported in words, and nothing rests on it.
 */
import { messageOf } from '../base/errors.ts'
import { stateFolder } from '../base/own-folders.ts'
import type { ReadFailure, Reader, System } from '../machine/system.ts'
import { bootRecordSchema, type BootRecord } from '../watch/record.ts'

export const bootFolder = `${stateFolder}/boots`

/** Records that are kept; the last good one stays beyond that. */
const mostRecords = 20

const recordLimit = 8 << 20

export type GoodBy = 'started' | 'accepted'

/** A record by its file name; its content may be anything. */
export type BootEntry = {
  readonly name: string
  readonly number: number
  readonly bootId: string
  readonly goodBy: readonly GoodBy[]
}

export type Listed = { readonly ok: true; readonly boots: readonly BootEntry[] } | Unreadable
export type RecordRead = { readonly ok: true; readonly record: BootRecord } | Unreadable
type Unreadable = {
  readonly ok: false
  readonly reason: string
  /** Another user may read it. */
  readonly isDenied?: true
}

const fileName = /^((\d{4,12})-([0-9a-z-]{1,64}))\.(json|started|accepted)$/

/** The oldest first. Files with other names are not ours. */
export function listBoots(reader: Reader): Listed {
  const names = reader.list(bootFolder)
  if (!names.ok) {
    if (names.reason === 'absent') return { ok: true, boots: [] }
    return unreadable(bootFolder, names)
  }
  const boots = new Map<string, BootEntry>()
  for (const file of names.value) {
    const [, name = '', digits = '', bootId = '', kind] = fileName.exec(file) ?? []
    if (kind === undefined) continue
    const known = boots.get(name) ?? { name, number: Number(digits), bootId, goodBy: [] }
    const goodBy = kind === 'json' ? known.goodBy : [...known.goodBy, kind as GoodBy]
    boots.set(name, { ...known, goodBy })
  }
  return { ok: true, boots: [...boots.values()].toSorted((a, b) => a.number - b.number) }
}

function unreadable(path: string, { code, reason }: ReadFailure): Unreadable {
  const isDenied = code === 'EACCES' || code === 'EPERM'
  const words = `${path} cannot be read (${code ?? reason})`
  return { ok: false, reason: words, ...(isDenied ? { isDenied } : {}) }
}

export function findBoot(boots: readonly BootEntry[], bootId: string): BootEntry | undefined {
  return boots.findLast((boot) => boot.bootId === bootId)
}

/**
 * The last good boot before this one. What a person accepted in this boot counts at once; VMs that started in
 * it do not, or nothing would ever be different.
 */
export function findLastGood(boots: readonly BootEntry[], bootId: string): BootEntry | undefined {
  const accepted = boots.findLast((boot) => boot.bootId === bootId && boot.goodBy.includes('accepted'))
  return accepted ?? boots.findLast((boot) => boot.bootId !== bootId && boot.goodBy.length > 0)
}

export function readBootRecord(reader: Reader, { name, bootId }: BootEntry): RecordRead {
  const path = `${bootFolder}/${name}.json`
  const text = reader.readText(path, recordLimit)
  if (!text.ok) return unreadable(path, text)
  let value: unknown
  try {
    value = JSON.parse(text.value)
  } catch (error) {
    return { ok: false, reason: `${path} is damaged (${messageOf(error).slice(0, 120)})` }
  }
  const parsed = bootRecordSchema.safeParse(value)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    return { ok: false, reason: `${path} is damaged (${issue?.path.join('.')}: ${issue?.message})` }
  }
  if (parsed.data.bootId !== bootId) return { ok: false, reason: `${path} is the record of another boot` }
  return { ok: true, record: parsed.data }
}

/** Replaces the record of this boot, or adds one and forgets the oldest. Gives back the entry. */
export function writeBootRecord(system: System, boots: readonly BootEntry[], record: BootRecord): BootEntry {
  system.makeFolder(bootFolder, 0o700)
  const known = findBoot(boots, record.bootId)
  const number = known?.number ?? (boots.at(-1)?.number ?? 0) + 1
  const name = known?.name ?? `${String(number).padStart(4, '0')}-${record.bootId}`
  const path = `${bootFolder}/${name}.json`
  system.removeLeftovers(path)
  system.writeFile(path, `${JSON.stringify(record)}\n`, { mode: 0o600 })
  const entry = known ?? { name, number, bootId: record.bootId, goodBy: [] }
  if (known === undefined) forgetOldest(system, [...boots, entry])
  return entry
}

export function markGood(system: System, { name, goodBy }: BootEntry, by: GoodBy): void {
  if (!goodBy.includes(by)) system.writeFile(`${bootFolder}/${name}.${by}`, '', { mode: 0o600 })
}

/** The marks go first: a record without marks is no good boot, a mark without a record is damage. */
function forgetOldest(system: System, boots: readonly BootEntry[]): void {
  const lastGood = boots.findLast(({ goodBy }) => goodBy.length > 0)
  for (const boot of boots.slice(0, -mostRecords)) {
    if (boot === lastGood) continue
    for (const by of boot.goodBy) system.remove(`${bootFolder}/${boot.name}.${by}`)
    system.remove(`${bootFolder}/${boot.name}.json`)
  }
}
