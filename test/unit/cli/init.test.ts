/** init as a user meets it: what it prints, what it writes, and that it never replaces a file. */
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { initSchema } from '../../../src/api/init.ts'
import { runInit, type InitOptions } from '../../../src/cli/commands/init.ts'
import { runPlan } from '../../../src/cli/commands/plan.ts'
import { linuxSystem } from '../../../src/machine/linux.ts'
import { documentOf } from '../../support/documents.ts'
import { runCommand } from '../../support/run-command.ts'

const listing = ['01:00.0', '01:00.1', '02:00.0']
  .map(
    (at, group) => `IOMMU Group ${group}:
\t${at} Ethernet controller [0200]: Intel Corporation I350 Gigabit Network Connection [8086:1521] (rev 01)
`,
  )
  .join('')

let folder = ''
beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), 'handover-init-'))
  fs.writeFileSync(join(folder, 'listing.txt'), listing)
})
afterEach(() => fs.rmSync(folder, { recursive: true, force: true }))

const inFolder = (name: string) => join(folder, name)
const init = (options: InitOptions) =>
  runCommand(linuxSystem(), runInit, [], {
    from: inFolder('listing.txt'),
    output: inFolder('home.yaml'),
    ...options,
  })

describe('handover init', () => {
  it('writes a spec that plan takes, with --yes', async () => {
    const { code, out } = await init({ firewall: true, yes: true })
    expect(code).toBe(0)
    expect(out).toContain('wan     0000:01:00.0')
    expect(out).toContain(`Next: handover plan ${inFolder('home.yaml')}`)
    const planned = await runCommand(linuxSystem(), runPlan, [inFolder('home.yaml')], {
      from: inFolder('listing.txt'),
    })
    expect(planned.code).toBe(0)
    expect(planned.out).toContain('this plan is conditional')
    expect(fs.statSync(inFolder('home.yaml')).mode & 0o777).toBe(0o644)
    expect(fs.readdirSync(folder).toSorted()).toEqual(['home.yaml', 'listing.txt'])
  })

  it('never replaces a file', async () => {
    fs.writeFileSync(inFolder('home.yaml'), 'mine')
    await expect(init({ firewall: true, yes: true })).rejects.toMatchObject({
      exitCode: 2,
      message: `${inFolder('home.yaml')} is there already, and is not replaced`,
    })
    fs.rmSync(inFolder('home.yaml'))
    fs.symlinkSync(inFolder('elsewhere'), inFolder('home.yaml'))
    await expect(init({ firewall: true, yes: true })).rejects.toThrow('is there already')
    expect(fs.readdirSync(folder).toSorted()).toEqual(['home.yaml', 'listing.txt'])
  })

  it('only shows the spec without --yes, and ends with 1 where nothing can be served', async () => {
    const shown = await init({ firewall: true })
    expect(shown).toMatchObject({ code: 0, err: expect.stringContaining('nothing was written') as string })
    expect(shown.out).toContain('version: 1\n')
    const none = await init({ media: true, yes: true })
    expect(none.code).toBe(1)
    expect(none.out).toContain('media: not here')
    expect(fs.existsSync(inFolder('home.yaml'))).toBe(false)
  })

  it('asks for wishes where no question can be asked, after it has shown what there is', async () => {
    await expect(init({})).rejects.toMatchObject({ exitCode: 2 })
  })

  it('is one document with --json', async () => {
    const { code, out } = await init({ firewall: true, media: true, json: true })
    expect(code).toBe(0)
    expect(documentOf(initSchema, out)).toMatchObject({
      conditional: true,
      uses: [{ use: 'network' }],
      assignments: [{ role: 'wan', onlyIf: ['the host does not use it for its network'] }, { role: 'lan' }],
      refused: [{ wish: 'media', reasons: [{ code: 'device-missing' }] }],
      file: null,
    })
  })
})
