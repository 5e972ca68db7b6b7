import { expect, it } from 'vitest'
import { adviseSchema } from '../../../src/api/advise.ts'
import { runAdvise } from '../../../src/cli/commands/advise.ts'
import { linuxSystem } from '../../../src/machine/linux.ts'
import { documentOf } from '../../support/documents.ts'
import { runCommand } from '../../support/run-command.ts'

const from = 'test/fixtures/hosts/lab-home.yaml'
const run = (options: Parameters<typeof runAdvise>[1]) => runCommand(linuxSystem(), runAdvise, [], options)

it('names the card with what is known of it, and each free slot', async () => {
  const { code, out } = await run({ from, card: '8086:1521' })
  expect(code).toBe(0)
  expect(out).toContain('Intel I350  8086:1521  4 ports, each a function')
  expect(out).toContain('FreeBSD drives it with igb(4) (FreeBSD, igb(4), 2026-12)')
  for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
})

it('is one document with --json', async () => {
  const { out } = await run({ from, card: 'quad port nic', json: true })
  const { cards } = documentOf(adviseSchema, out)
  expect(cards.map(({ name }) => name)).toContain('Intel I350')
})

it('says which word was meant', async () => {
  await expect(run({ from, card: 'hab' })).rejects.toMatchObject({
    exitCode: 2,
    help: 'did you mean hba?',
  })
})
