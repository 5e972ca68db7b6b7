/**
 * What the JSON documents share. Each has a file here: its schema (version 1), the type derived from it, and
 * how it is made from what a use case gives back. Their JSON Schema is written into schema/
 * (src/api/describe-api.ts).
 */
import { z } from 'zod'
import { addressSchema } from '../base/address-schema.ts'

type DeepReadonly<T> = T extends readonly (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T

/** The type of a document, from its schema. */
export type Document<Schema extends z.ZodType> = DeepReadonly<z.infer<Schema>>

export const version = { schema: z.literal(1) }

export const text = z.string()
export const texts = z.array(z.string())
export const addresses = z.array(addressSchema)
