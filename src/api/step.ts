/** One change of the host as a pair of states. */
import { z } from 'zod'
import { address, text, texts } from './document.ts'
import { identity } from './identity.ts'

const fileState = z.nullable(z.object({ text, mode: z.int() })).describe('null: there is no such file')
const driverState = z.object({ driver: z.nullable(text), driverOverride: z.nullable(text) })
const settings = z.object({
  mac: z.optional(text),
  vlan: z.optional(z.int()),
  trust: z.optional(z.boolean()),
  spoofCheck: z.optional(z.boolean()),
})

export const step = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('file'), path: text, before: fileState, after: fileState, why: text }),
  z.object({ kind: z.literal('driver'), address, identity, before: driverState, after: driverState, why: text }),
  z.object({
    kind: z.literal('sysfs'),
    path: text,
    before: text,
    after: text,
    of: z.optional(z.object({ address, identity })).describe('the device whose attribute it is'),
    partial: z.optional(z.literal(true)).describe('the kernel may give less than asked'),
    why: text,
  }),
  z.object({
    kind: z.literal('vf'),
    address: address.describe('the physical function'),
    identity,
    number: z.int(),
    before: settings,
    after: settings,
    why: text,
  }),
  z.object({
    kind: z.literal('command'),
    argv: texts,
    outputs: texts.describe('files it may write'),
    once: z.optional(z.literal(true)).describe('a rollback never runs it again'),
    undo: z.optional(texts),
    why: text,
  }),
])
