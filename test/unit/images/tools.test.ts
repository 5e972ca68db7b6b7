import { describe, expect, it } from 'vitest'
import { installNeeds, missingNeeds } from '../../../src/images/tools.ts'

const without = (missing: readonly string[]) => ({
  work: {
    findProgram: (name: string) => (missing.includes(name) ? undefined : `/usr/bin/${name}`),
    exists: () => true,
  },
})

/** Runs the installation with a shell that only writes down what it was asked for. */
async function attempt(
  missing: readonly string[],
  isRoot: boolean,
): Promise<{ said: string[]; ran: string[]; error: unknown }> {
  const said: string[] = []
  const ran: string[] = []
  const exec = (argv: readonly string[]) => {
    ran.push(argv.join(' '))
    return Promise.resolve({ status: 0, stdout: '', stderr: '', timedOut: false })
  }
  const machine = { ...without(missing), exec }
  const error = await installNeeds(machine, (line) => said.push(line), [], isRoot).catch(
    (reason: unknown) => reason,
  )
  return { said, ran, error }
}

describe('what the lab needs', () => {
  it('is asked for only when something is missing', async () => {
    expect(missingNeeds(without([]))).toEqual([])
    expect(await attempt([], true)).toEqual({ said: [], ran: [], error: undefined })
  })

  it('is installed by root, who is told first', async () => {
    const { said, ran } = await attempt(['qemu-system-x86_64', 'nft'], true)
    expect(said).toEqual(['installing from the distribution: qemu-system-x86 nftables'])
    expect(ran).toEqual([
      'apt-get update -qq',
      'apt-get install -y --no-install-recommends qemu-system-x86 nftables',
    ])
  })

  it('is one command to run for everybody else', async () => {
    const { ran, error } = await attempt(['busybox'], false)
    expect(ran).toEqual([])
    expect(error).toMatchObject({
      message: 'the lab needs these and did not find them: busybox',
      help: 'sudo apt-get install -y --no-install-recommends busybox-static',
    })
  })

  it('is named where there is no apt', async () => {
    const { ran, error } = await attempt(['apt-get', 'qemu-system-x86_64', 'depmod'], true)
    expect(ran).toEqual([])
    expect(error).toMatchObject({
      message: 'the lab looked for these and did not find them: qemu-system-x86_64, depmod, apt-get',
    })
  })

  it('is an error when it is still missing afterwards', async () => {
    const { error } = await attempt(['xz'], true)
    expect(error).toMatchObject({ message: 'still missing after the installation: xz' })
  })
})
