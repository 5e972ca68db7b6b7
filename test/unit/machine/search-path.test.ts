import { afterEach, expect, it } from 'vitest'
import { exec } from '../../../src/machine/exec.ts'
import { start } from '../../../src/machine/process.ts'
import { searchPath } from '../../../src/machine/search-path.ts'

it('the folder one happens to be in is never looked into', () => {
  for (const path of ['', ':', '/usr/bin::/bin:', undefined]) {
    if (path === undefined) delete process.env['PATH']
    else process.env['PATH'] = path
    expect(searchPath().split(':')).not.toContain('')
    expect(searchPath()).toContain('/usr/sbin')
  }
})

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
