/** The kinds of value in a spec, each with the message for a wrong value. */
import { z } from 'zod'
import { durationPattern, sizePattern } from './units.ts'

export const text = (what: string) =>
  z.string({ error: `${what} is a text` }).min(1, { error: `${what} is empty` })
export const flag = (what: string) => z.boolean({ error: `${what} is true or false` })
export const count = (what: string, max: number) =>
  z
    .int({ error: `${what} is a whole number` })
    .min(1, { error: `${what} is at least 1` })
    .max(max, {
      error: `${what} is at most ${max}`,
    })
export const size = (what: string) => {
  const error = `${what} is a size with its unit, such as 512 MiB or 16 GiB`
  return z.string({ error }).regex(sizePattern, { error })
}
export const duration = (what: string) => {
  const error = `${what} is a time with its unit, such as 60 s or 2 min`
  return z.string({ error }).regex(durationPattern, { error })
}
export const pattern = (regex: RegExp, error: string) => z.string({ error }).regex(regex, { error })

export const nameRule =
  'a name is lower-case letters, digits and dashes, starts with a letter, and has at most 32 of them'
export const name = pattern(/^[a-z][a-z0-9-]{0,31}$/, nameRule)
/** With colons or dashes; `plainMac` gives the form that is compared. */
export const mac = pattern(
  /^[0-9a-f]{2}(?:(?::[0-9a-f]{2}){5}|(?:-[0-9a-f]{2}){5})$/i,
  'a MAC address is six pairs of hex digits, such as 52:54:00:12:34:56',
)

/** `52-54-00-0C-00-01` → `52:54:00:0c:00:01`. */
export function plainMac(written: string): string {
  return written.toLowerCase().replaceAll('-', ':')
}
