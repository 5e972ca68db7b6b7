import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { bindingsPath, bindScript, bindScriptPath } from '../../src/boot/early-binding.ts'
import * as trial from '../../src/boot/trial/trial.ts'

const folder = 'assets/boot'
const names = readdirSync(folder)
const ofPackage = ['postinst', 'prerm', 'postrm', 'handover.sh'].map((name) => join('packaging/debian', name))
const scripts = [
  ...names.filter((name) => name.endsWith('.sh')).map((name) => join(folder, name)),
  ...ofPackage,
]
const hasShellcheck = spawnSync('shellcheck', ['--version']).status === 0
const inCi = process.env['CI'] === 'true'

describe('scripts that run on hosts', () => {
  it.skipIf(!hasShellcheck && !inCi)(
    'have nothing that shellcheck objects to (skipped without shellcheck)',
    () => {
      expect(scripts.length).toBeGreaterThanOrEqual(13)
      const { status, stdout } = spawnSync('shellcheck', ['-x', '--source-path=.', ...scripts], {
        encoding: 'utf8',
      })
      expect(stdout).toBe('')
      expect(status).toBe(0)
    },
  )

  it.skipIf(!hasShellcheck && !inCi)(
    'are really looked at: a fault is found (skipped without shellcheck)',
    () => {
      const { stdout } = spawnSync('shellcheck', ['-s', 'sh', '-'], { encoding: 'utf8', input: 'cat $1\n' })
      expect(stdout).toContain('SC2086')
    },
  )

  it('say why, wherever shellcheck is told to pass over something', () => {
    for (const path of scripts) {
      for (const [line] of readFileSync(path, 'utf8').matchAll(/^.*shellcheck disable=.*$/gm))
        expect(line, path).toMatch(/disable=SC\d+(?:,SC\d+)* # [A-Z].{10,}\.$/)
    }
  })

  it('are the files that the sources use, each of them', () => {
    const sources = readdirSync('src', { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => readFileSync(join('src', name), 'utf8'))
    const unused = names.filter((name) => !sources.some((text) => text.includes(`assets/boot/${name}?raw`)))
    expect(unused).toEqual([])
  })

  it('are written without what is for shellcheck alone, and with the identity check in place', () => {
    expect(bindScript).not.toMatch(/shellcheck|\. \.\/identity/)
    expect(bindScript.match(/^find_recorded\(\) \{$/gm)).toHaveLength(1)
  })

  it('name the paths that the sources name', () => {
    expect(bindScript).toContain(`list=$root${bindingsPath}\n`)
    expect(trial.trialScript).toContain(`"$root${bindScriptPath}" check`)
    expect(trial.trialScript).toContain(`conf=$root${trial.trialConfPath}\n`)
    expect(trial.trialScript).toContain(`health=$root${trial.trialHealthPath}\n`)
    expect(trial.trialScript).toContain(`"$root${trial.trialConfirmedPath}"`)
    expect(trial.trialScript).toContain(`"$root${trial.trialResultPath}"`)
    expect(trial.trialScript).toContain(`*" ${trial.trialToken} "*`)
    expect(trial.trialScript).toContain(`minutes=${trial.trialMinutes}\n`)
  })
})
