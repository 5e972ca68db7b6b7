import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Host } from '../../../src/host/host.ts'
import { readHostFrom } from '../../../src/sources/listings/read-from.ts'
import { judgeHost } from '../../../src/judge/judge.ts'
import { plan } from '../../../src/plan/plan.ts'
import { refreshLock } from '../../../src/plan/who/refresh-lock.ts'
import { gunzip } from '../../../src/machine/gunzip.ts'
import { linuxSystem } from '../../../src/machine/linux.ts'
import { specOf } from '../../support/spec.ts'

/** Captures of lab hosts that really booted (lab/moves/*.yaml). */
function labHost(name: string): Host {
  const path = `test/fixtures/hosts/lab-moves-${name}.yaml`
  const reading = readHostFrom(
    { name: path, bytes: readFileSync(path) },
    { openFolder: (root) => linuxSystem({ root }), gunzip },
  )
  if (!reading.ok) throw reading.error
  return reading.host
}

function specWith(text: string) {
  return specOf(`version: 1\nvms:\n  box:\n    cpus: 1\n    memory: 128 MiB\n    devices:\n${text}`)
}

/** The lock as `handover lock` writes it on the host. */
function lockOn(host: Host, spec: ReturnType<typeof specWith>) {
  return refreshLock(host, spec, plan(host, spec).assignments)
}

const before = labHost('before')
const cardAdded = labHost('card-added')
const swapped = labHost('nics-swapped')

describe('a card added in a lower slot', () => {
  const spec = specWith('      disks: { address: "0000:02:00.0" }\n')

  it("puts the host's own controller where the guest's was", () => {
    const at = (host: Host) => host.devices.find((device) => device.address === '0000:02:00.0')
    const standing = (host: Host) =>
      judgeHost(host).devices.find((device) => device.address === '0000:02:00.0')?.verdict
    expect([at(before)?.deviceId, at(cardAdded)?.deviceId]).toEqual(['2922', '2922'])
    expect([standing(before), standing(cardAdded)]).toEqual(['ready', 'refused'])
  })

  it('is followed by the lock, and said', () => {
    const after = plan(cardAdded, spec, { lock: lockOn(before, spec) })
    expect(after.assignments.map(({ role, address, moved }) => ({ role, address, moved }))).toEqual([
      {
        role: 'disks',
        address: '0000:03:00.0',
        moved: {
          from: expect.stringContaining('0000:02:00.0') as string,
          to: expect.stringContaining('0000:03:00.0') as string,
        },
      },
    ])
    expect(after.findings.map((finding) => finding.code)).toContain('device-moved')
    expect(after.steps.every((step) => step.kind !== 'driver' || step.address === '0000:03:00.0')).toBe(true)
  })

  it('without a lock is refused, never handed over', () => {
    const after = plan(cardAdded, spec)
    expect(after.steps).toEqual([])
    expect(
      after.findings.filter((finding) => finding.severity === 'error').map((finding) => finding.code),
    ).toContain('host-disk')
  })
})

describe('two identical NICs that changed places', () => {
  const spec = specWith('      wan: { address: "0000:03:00.0" }\n')

  it('are told apart by their serials and followed', () => {
    const [was] = plan(before, spec).assignments
    const after = plan(swapped, spec, { lock: lockOn(before, spec) })
    expect(was?.address).toBe('0000:03:00.0')
    expect(after.assignments[0]?.address).toBe('0000:04:00.0')
    expect(after.assignments[0]?.identity.macs).toEqual(was?.identity.macs)
    expect(after.findings.map((finding) => finding.code)).toContain('device-moved')
  })
})
