import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'

const handover = (...args: readonly string[]) => spawnSync('./handover', args, { encoding: 'utf8' })

describe('completion', () => {
  it.each(['bash', 'zsh', 'fish'])('has a script for %s', (shell) => {
    const { status, stdout } = handover('completion', shell)
    expect(status).toBe(0)
    expect(stdout).toContain('handover')
  })

  it('is a script bash accepts', () => {
    const checked = spawnSync('bash', ['-n'], {
      input: handover('completion', 'bash').stdout,
      encoding: 'utf8',
    })
    expect(checked).toMatchObject({ status: 0, stderr: '' })
  })

  it.each([
    [['ins'], /^inspect\t/m],
    [['inspect', '--'], /^--json\t/m],
    [['lab', ''], /^run\t/m],
  ])('knows what may follow %j', (words, line) =>
    expect(handover('complete', '--', ...words).stdout).toMatch(line),
  )
})
