/**
 * A VM that nobody knows, named on the command line beside one that is right: refused before anything is
 * asked or stopped.
 */
import { expect, it } from 'vitest'
import { beginJournal, journalFolder } from '../../../src/apply/journal.ts'
import { runConsole } from '../../../src/cli/commands/console.ts'
import { runDown } from '../../../src/cli/commands/down.ts'
import { runUp } from '../../../src/cli/commands/up.ts'
import { runVerify } from '../../../src/cli/commands/verify.ts'
import { createContext } from '../../../src/cli/context.ts'
import { UsageError } from '../../../src/base/errors.ts'
import { tree } from '../../support/sysfs-tree.ts'

function applied() {
  const root = tree({
    '/home.yaml': 'version: 1\nvms:\n  router: { memory: 1 GiB }\n',
    [`${journalFolder}/0001/`]: '',
  })
  const context = createContext({ root })
  const journal = beginJournal(context.system, {
    ...{ schema: 1, id: '0001', createdAt: '', version: '', bootId: '', planHash: '', needsReboot: false },
    ...{ spec: '/home.yaml', assignments: [], takenAlong: [], spare: [], steps: [], saved: [] },
    startOrder: ['router', 'films'],
  })
  journal.append({ event: 'end', outcome: 'applied' })
  return context
}

it.each([
  ['up', runUp],
  ['verify', runVerify],
  ['down', runDown],
  ['console', runConsole],
])('%s', async (_, command) => {
  const stopped = async (...names: string[]) => {
    try {
      await command(names, {}, applied())
    } catch (error) {
      return error
    }
  }
  expect(await stopped('roter', 'router')).toEqual(
    new UsageError('there is no VM roter', 'did you mean router? VMs are: router, films'),
  )
  if (command !== runConsole) expect(await stopped('router', 'roter')).toBeInstanceOf(UsageError)
})

it('a VM of the plan that the spec has no more is not passed over in silence', async () => {
  await expect(runVerify(['films'], {}, applied())).rejects.toThrow('the spec no longer has it')
})
