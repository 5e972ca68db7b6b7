// Writes docs/spec.md and schema/home.schema.json from the schema in src/spec/schema.ts. Run with tsx (npm run docs:spec).
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { specJsonSchema, specMarkdown } from '../src/spec/describe-spec.ts'

const root = join(import.meta.dirname, '..')
mkdirSync(join(root, 'schema'), { recursive: true })
writeFileSync(join(root, 'schema/home.schema.json'), specJsonSchema())
writeFileSync(join(root, 'docs/spec.md'), specMarkdown())
