import { afterEach, expect, it } from 'vitest'
import { exec } from '../../../src/system/exec.ts'
import { start } from '../../../src/system/process.ts'

const old = process.env['PATH']
afterEach(() => {
  process.env['PATH'] = old
})

it('programs of the administrator are found after su, which leaves their folders out', async () => {
  process.env['PATH'] = '/usr/bin:/bin'
  expect(await exec(['ldconfig', '--version'])).toMatchObject({ status: 0 })
  const running = await start(['ldconfig', '--version'])
  expect(await running.ended).toMatchObject({ status: 0 })
})
