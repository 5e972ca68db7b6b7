/**
 * The kernel's description of its network (rtnetlink), as iproute2 prints it in JSON (ip/ipaddress.c,
 * iproute.c, iprule.c). The text comes from outside, so members of another shape are left out and never
 * guessed.
 *
 * A running machine answers through `ip`. A capture keeps the answers under paths that no kernel has, and a
 * tree may hold them there too.
 */
import type { NetworkQuestion, ReadResult } from '../../../machine/system.ts'
import type { Reading } from '../../read/reading.ts'

export const recordFolder = '/proc/net/rtnetlink'

export function recordPath(question: NetworkQuestion): string {
  return `${recordFolder}/${question}.json`
}

/** A larger record counts as unreadable, such as that of a router with a full Internet table. */
const limit = 16 << 20

export type KernelAnswer =
  | { readonly state: 'known'; readonly rows: readonly Row[] }
  /** The kernel was not asked: a tree without the record. */
  | { readonly state: 'unasked' }
  | { readonly state: 'unreadable'; readonly why: string }

export type Row = Readonly<Record<string, unknown>>

export function askKernel(reading: Reading, question: NetworkQuestion): KernelAnswer {
  const { system } = reading
  const path = recordPath(question)
  const answer: ReadResult<string> = system.showNetwork
    ? system.showNetwork(question)
    : system.readText(path, limit)
  if (!answer.ok) {
    if (answer.reason === 'absent')
      return isRecorded(reading)
        ? { state: 'unreadable', why: 'its record is missing beside the others' }
        : { state: 'unasked' }
    return { state: 'unreadable', why: whyNot(answer.code) }
  }
  const rows = parseRows(answer.value)
  return rows ? { state: 'known', rows } : { state: 'unreadable', why: whyNot('EBADMSG') }
}

/** All answers are recorded together, so a record with only some of them is damaged. */
function isRecorded(reading: Reading): boolean {
  const listed = reading.system.list(recordFolder)
  return listed.ok ? listed.value.length > 0 : listed.reason !== 'absent'
}

function whyNot(code = 'error'): string {
  if (code === 'ENOENT') return 'there is no ip command to ask (package iproute2)'
  if (code === 'ENOSYS' || code === 'EBADMSG') return 'the ip command here is not that of iproute2'
  return `the ip command gave no answer (${code})`
}

export function parseRows(text: string): Row[] | undefined {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    return undefined
  }
  return Array.isArray(parsed) ? parsed.filter(isRow) : undefined
}

export function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function textIn(row: Row | undefined, key: string): string | undefined {
  const value = row?.[key]
  return typeof value === 'string' && value !== '' ? value : undefined
}

export function numberIn(row: Row | undefined, key: string): number | undefined {
  const value = row?.[key]
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

export function rowIn(row: Row | undefined, key: string): Row | undefined {
  const value = row?.[key]
  return isRow(value) ? value : undefined
}

export function rowsIn(row: Row | undefined, key: string): readonly Row[] {
  const value = row?.[key]
  return Array.isArray(value) ? value.filter(isRow) : []
}

export function wordsIn(row: Row | undefined, key: string): readonly string[] {
  const value = row?.[key]
  return Array.isArray(value) ? value.filter((word) => typeof word === 'string') : []
}
