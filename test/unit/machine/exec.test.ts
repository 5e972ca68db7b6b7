import { expect, it } from 'vitest'
import { exec } from '../../../src/machine/exec.ts'

const said = (facts: object) => ({ status: 0, stdout: '', stderr: '', timedOut: false, ...facts })

it('gives back what a program says and how it ends', async () =>
  expect(await exec(['sh', '-c', 'echo a; echo b >&2; exit 3'])).toEqual(
    said({ status: 3, stdout: 'a\n', stderr: 'b\n' }),
  ))

it('ends a program and its children when time is up', async () =>
  expect(await exec(['sh', '-c', 'sleep 30 & sleep 30'], { timeoutSeconds: 0.2 })).toEqual(
    said({ status: undefined, timedOut: true }),
  ))

it('ends it at a signal, which is no time-out', async () => {
  const stop = new AbortController()
  const end = exec(['sleep', '30'], { signal: stop.signal })
  stop.abort()
  expect(await end).toEqual(said({ status: undefined }))
})

it('passes input on, and does not mind a program that does not read it', async () => {
  const lines: string[] = []
  await exec(['cat'], { input: 'one\ntwo', onLine: (line) => lines.push(line) })
  expect(lines).toEqual(['one', 'two'])
  expect(await exec(['true'], { input: 'x'.repeat(1_000_000) })).toEqual(said({}))
})

it('says that a program is not there', async () =>
  expect(exec(['no-such-program'])).rejects.toMatchObject({
    message: 'no-such-program ended with status 127: there is no such program',
    help: 'is no-such-program installed and on the PATH?',
  }))
