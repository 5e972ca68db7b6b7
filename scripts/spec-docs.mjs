// Writes docs/spec.md and schema/ from the schemas in src/spec/schema.ts and src/api/. Run with tsx (npm run
// docs:spec).
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { apiJsonSchemas } from '../src/api/describe-api.ts'
import { specJsonSchema, specMarkdown } from '../src/spec/describe-spec.ts'

const root = join(import.meta.dirname, '..')
mkdirSync(join(root, 'schema'), { recursive: true })
writeFileSync(join(root, 'schema/home.schema.json'), specJsonSchema())
for (const [name, text] of apiJsonSchemas()) writeFileSync(join(root, 'schema', name), text)
writeFileSync(join(root, 'docs/spec.md'), specMarkdown())
