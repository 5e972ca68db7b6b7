// Lets Node load `FILE?raw` as text, as the build and the tests do: node --import ./scripts/raw-text.mjs
import { readFileSync } from 'node:fs'
import { register } from 'node:module'
import { fileURLToPath } from 'node:url'

/** A loader hook (node:module): this file is the hook and what registers it. */
export function load(url, context, next) {
  if (!url.endsWith('?raw')) return next(url, context)
  const source = `export default ${JSON.stringify(readFileSync(fileURLToPath(url), 'utf8'))}`
  return { format: 'module', source, shortCircuit: true }
}

// In the thread of the hooks this file is loaded once more, and must not register itself there.
if (!new URL(import.meta.url).searchParams.has('hook')) register(`${import.meta.url}?hook`)
