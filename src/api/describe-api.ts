/** The JSON Schema of every document, for schema/ (npm run docs:spec writes it). */
import { toJSONSchema, type z } from 'zod'
import { adviseSchema } from './advise.ts'
import { applySchema } from './apply.ts'
import { captureSchema } from './capture.ts'
import { checkSchema } from './check.ts'
import { confirmSchema } from './confirm.ts'
import { downSchema } from './down.ts'
import { explainSchema } from './explain.ts'
import { failureSchema } from './failure.ts'
import { initSchema } from './init.ts'
import { inspectSchema } from './inspect.ts'
import { journalSchema, journalsSchema } from './journal.ts'
import { labSchema } from './lab.ts'
import { lockSchema } from './lock.ts'
import { planSchema } from './plan.ts'
import { reportSchema } from './report.ts'
import { rollbackSchema } from './rollback.ts'
import { savingsSchema } from './savings.ts'
import { statusSchema } from './status.ts'
import { upSchema } from './up.ts'
import { verifySchema } from './verify.ts'

/** By the command that prints it. */
export const documents: Readonly<Record<string, z.ZodType>> = {
  advise: adviseSchema,
  apply: applySchema,
  capture: captureSchema,
  check: checkSchema,
  confirm: confirmSchema,
  down: downSchema,
  explain: explainSchema,
  failure: failureSchema,
  init: initSchema,
  inspect: inspectSchema,
  journal: journalsSchema,
  'journal-entry': journalSchema,
  lab: labSchema,
  lock: lockSchema,
  plan: planSchema,
  report: reportSchema,
  rollback: rollbackSchema,
  savings: savingsSchema,
  status: statusSchema,
  up: upSchema,
  verify: verifySchema,
}

/** Name of the file in schema/ → its text. A later release may add keys, so none is forbidden. */
export function apiJsonSchemas(): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(documents).map(([name, schema]) => {
      const described = toJSONSchema(schema, {
        target: 'draft-7',
        io: 'input',
        // A type that is read-only in TypeScript says nothing about a document.
        override: ({ jsonSchema }) => {
          delete jsonSchema.readOnly
        },
      })
      const title = `handover ${name.replace('-entry', ' ID')} --json`
      return [`${name}.schema.json`, `${JSON.stringify({ ...described, title }, undefined, 2)}\n`]
    }),
  )
}
