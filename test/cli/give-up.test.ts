import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { pci, tree } from '../support/sysfs-tree.ts'
import { lacks } from '../support/tools.ts'

const at = 'pci0000:00/0000:00:1c.4/0000:0b:00.0'

/** A tuner that a recorder has open, on a host whose IOMMU is on. */
const host = (): string =>
  tree(pci({ at, classCode: '048000', driver: 'cx23885', group: 17, files: { reset_method: 'bus\n' } }), {
    '/sys/class/iommu/dmar0': '-> ../../devices/virtual/iommu/dmar0',
    '/sys/class/dvb/dvb0.frontend0': `-> ../../devices/${at}/dvb/dvb0.frontend0`,
    '/proc/88/comm': 'recorderd\n',
    '/proc/88/cmdline': '/usr/bin/recorderd\0',
    '/proc/88/fd/9': '-> /dev/dvb/adapter0/frontend0',
    '/proc/cmdline': 'quiet\n',
    '/proc/self/mountinfo': '',
    '/proc/net/route': 'Iface\n',
    '/proc/bus/input/devices': '',
    '/proc/interrupts': ' 0: 1 IR-PCI-MSI 1-edge x\n',
    '/proc/cpuinfo': 'processor : 0\nflags : vmx\n',
    '/sys/kernel/iommu_groups/17/type': 'DMA\n',
  })

function handover(command: string, root: string, spec: string, ...args: readonly string[]) {
  const file = join(root, 'home.yaml')
  writeFileSync(file, spec)
  const done = spawnSync('./handover', [command, file, '--root', root, '--no-boot', ...args], {
    encoding: 'utf8',
  })
  return { status: done.status, said: done.stdout + done.stderr }
}

const spec = (host: string) =>
  `version: 1\n${host}vms:\n  tv:\n    memory: 1 GiB\n    devices:\n      tuner: { address: '0b:00.0' }\n`

describe('apply takes what the host uses', () => {
  it('only when it is given up by its name: --yes changes nothing, and says how', () => {
    const root = host()
    const before = readdirSync(root)
    const { status, said } = handover('apply', root, spec(''), '--yes')
    expect(said).toContain('recorderd')
    expect(said).toContain('host: { give-up: [recorderd] }')
    expect(said).toContain('nothing was changed')
    expect(status).toBe(1)
    expect(readdirSync(root).filter((name) => name !== 'home.yaml')).toEqual(before)
  })

  it('and goes on when the spec gives it up', () => {
    const root = host()
    const { said } = handover('apply', root, spec('host: { give-up: [recorderd] }\n'), '--yes')
    expect(said).not.toContain('--yes gives up nothing')
    expect(readdirSync(join(root, 'var/lib/handover/journal'))).toEqual(['0001'])
  })

  it('and only the plan whose hash was named: of a spec that changed since, nothing is done', () => {
    const root = host()
    const giveUp = 'host: { give-up: [recorderd] }\n'
    const shown = handover('apply', root, spec(giveUp), '--yes', '--plan', '00000000')
    const planHash = /the plan is ([0-9a-f]{8,}), not 00000000/.exec(shown.said)?.[1] ?? ''
    const changed = spec(giveUp).replace('0b:00.0', '0000:0b:00.0').replace('  tv:', '  other:')
    const { status, said } = handover('apply', root, changed, '--yes', '--plan', planHash)
    expect(said).toContain(`, not ${planHash}; nothing was changed`)
    expect(status).toBe(3)
    expect(readdirSync(root)).not.toContain('var')
    handover('apply', root, spec(giveUp), '--yes', '--plan', planHash)
    expect(readdirSync(join(root, 'var/lib/handover/journal'))).toEqual(['0001'])
  })

  it('and the plan says what that will be, in both of its forms', () => {
    const root = host()
    expect(handover('plan', root, spec('')).said).toMatch(
      /given up by name\n {2}recorderd {2}0000:0b:00\.0: program/,
    )
    const { concessions } = JSON.parse(handover('plan', root, spec(''), '--json').said) as {
      concessions: unknown
    }
    expect(concessions).toMatchObject([{ address: '0000:0b:00.0', name: 'recorderd' }])
  })
})

const colours = new RegExp(`${String.fromCharCode(27)}\\[[0-9;?]*[A-Za-z]`, 'g')

describe.skipIf(lacks('script'))('on a terminal', () => {
  function typing(root: string, ...words: readonly string[]) {
    const file = join(root, 'home.yaml')
    writeFileSync(file, spec(''))
    const command = `stty cols 200 rows 60; ./handover apply ${file} --root ${root} --no-boot`
    const keys = words.map((word) => `sleep 2; printf '${word}\\r'`).join('; ')
    const done = spawnSync('sh', ['-c', `{ ${keys}; sleep 2; } | script -qec '${command}' /dev/null`], {
      encoding: 'utf8',
      timeout: 60_000,
    })
    return done.stdout.replaceAll(colours, '')
  }
  const journals = (root: string) => existsSync(join(root, 'var/lib/handover/journal'))

  it('the name is asked for, and another word ends it', { timeout: 60_000 }, () => {
    const root = host()
    const said = typing(root, 'yes')
    expect(said).toContain('To give that up, type recorderd')
    expect(said).toContain('nothing was changed')
    expect(journals(root)).toBe(false)
  })

  it('the name given up, the question is whether to change the host', { timeout: 60_000 }, () => {
    const root = host()
    expect(typing(root, 'recorderd', 'y')).toContain('Change the host as shown?')
    expect(journals(root)).toBe(true)
    const done = spawnSync('./handover', ['journal', '0001', '--root', root], { encoding: 'utf8' })
    expect(done.stdout).toContain('0000:0b:00.0  given up by its name, recorderd: program recorderd')
  })
})
