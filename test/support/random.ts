/**
 * fast-check for the tests: every run starts from one seed, which the configuration fixes or chooses and
 * prints (docs/testing.md). A failure prints the seed and the path of its counterexample.
 */
import { configureGlobal } from 'fast-check'

configureGlobal({ seed: Number(process.env['HANDOVER_SEED'] ?? 1) })

export * from 'fast-check'
export { default } from 'fast-check'
