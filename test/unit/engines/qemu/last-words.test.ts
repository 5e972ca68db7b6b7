import { appendFileSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { engine } from '../../../../src/engines/engines.ts'
import { linuxSystem } from '../../../../src/machine/linux.ts'
import { tree } from '../../../support/sysfs-tree.ts'

const folder = '/run/handover/vm/box'

it('reads the last lines of a console log that is too large to be read as a whole', () => {
  const root = tree({ [`${folder}/serial.log`]: '' })
  const log = join(root, folder, 'serial.log')
  truncateSync(log, 3 * 1024 ** 3)
  appendFileSync(log, '\nlogin:\n\u001b[31mpanic\n')
  expect(engine.lastWords(linuxSystem({ root }), 'box', 2)).toBe('login:\n[31mpanic')
})

it('reads the log of the engine where the console is empty', () => {
  const root = tree({ [`${folder}/serial.log`]: '', [`${folder}/qemu.log`]: 'no such device\n' })
  expect(engine.lastWords(linuxSystem({ root }), 'box', 2)).toBe('no such device')
})
