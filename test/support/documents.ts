/** A JSON document as printed: it holds to its schema, and has nothing that the schema does not describe. */
import { expect } from 'vitest'
import type { z } from 'zod'
import type { Document } from '../../src/api/document.ts'

export function documentOf<Schema extends z.ZodType>(schema: Schema, printed: string): Document<Schema> {
  const value: unknown = JSON.parse(printed)
  const parsed = schema.parse(value)
  // Parsing drops keys that the schema does not name.
  expect(parsed).toEqual(value)
  return parsed as Document<Schema>
}
