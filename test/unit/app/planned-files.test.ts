import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { writePlannedFiles } from '../../../src/app/planned-files.ts'
import { workFolder } from '../../../src/machine/work-folder.ts'
import type { Step } from '../../../src/steps/step.ts'

const folder = mkdtempSync(join(tmpdir(), 'handover-planned-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const file = (path: string, text: string | null, mode = 0o644): Step => ({
  kind: 'file',
  path,
  before: text === null ? { text: 'old', mode } : null,
  after: text === null ? null : { text, mode },
  why: 'a test',
})

it('writes what would be written, with its mode, and never into a folder that is there', () => {
  const steps = [file('/etc/a/run.sh', '#!/bin/sh\n', 0o755), file('/etc/b', 'b\n'), file('/etc/gone', null)]
  const out = join(folder, 'planned')
  expect(writePlannedFiles(workFolder, { steps }, out)).toBe(2)
  expect(readFileSync(join(out, 'etc/a/run.sh'), 'utf8')).toBe('#!/bin/sh\n')
  expect(statSync(join(out, 'etc/a/run.sh')).mode & 0o777).toBe(0o755)
  expect(readFileSync(join(out, 'etc/b'), 'utf8')).toBe('b\n')
  expect(() => statSync(join(out, 'etc/gone'))).toThrow('ENOENT')
  expect(() => writePlannedFiles(workFolder, { steps }, out)).toThrow('is there already')
})
