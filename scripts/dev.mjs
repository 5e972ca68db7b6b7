// `npm run dev -- ARGS`: the command line from the sources.
import { start } from '../src/cli/entry.ts'

await start(process.argv.slice(2))
