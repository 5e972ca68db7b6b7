/** Unified kernel images as they lie on an ESP: names, sizes, and the kernel each is for. */
import * as fs from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readUnified } from '../../../src/host/read/read-unified.ts'
import { linuxSystem } from '../../../src/machine/linux.ts'
import { put, tempTree } from '../../support/fake-kernel.ts'

let root = ''
beforeEach(() => (root = tempTree()))
afterEach(() => fs.rmSync(root, { recursive: true, force: true }))
const read = () => readUnified(linuxSystem({ root }))
const kernels = (...releases: string[]) => {
  for (const release of releases) fs.mkdirSync(join(root, 'lib/modules', release), { recursive: true })
}

describe('unified images', () => {
  it('are absent where there are none', () => {
    put(root, '/efi/EFI/Linux/readme.txt', '')
    expect(read()).toEqual({})
  })

  it('need a signature where nobody can read whether Secure Boot is on', () => {
    const system = linuxSystem({ root })
    const answer = (reason: 'absent' | 'unreadable') =>
      readUnified({ ...system, readBytes: () => ({ ok: false, reason }) }).secureBoot
    expect(answer('unreadable')).toBe(true)
    expect(answer('absent')).toBeUndefined()
  })

  it('are told apart by the longest release of an installed kernel that the name has whole', () => {
    kernels('6.1.0-9', '6.1.0-9-amd64', '6.6')
    for (const name of [
      'linux-6.1.0-9-amd64-0123.efi',
      'token-6.1.0-9.efi',
      'token-6.6+3-1.efi',
      '6.6.efi',
      'token-16.6.efi',
      'token-6.60.efi',
      'arch-linux.efi',
      'Upper-6.6.EFI',
      'with blank-6.6.efi',
    ])
      put(root, `/boot/efi/EFI/Linux/${name}`, 'image')
    fs.mkdirSync(join(root, 'boot/efi/EFI/Linux/folder.efi'))
    const { unified } = read()
    expect(unified?.folder).toBe('/boot/efi/EFI/Linux')
    expect(Object.fromEntries(unified?.images.map(({ name, release }) => [name, release]) ?? [])).toEqual({
      'linux-6.1.0-9-amd64-0123.efi': '6.1.0-9-amd64',
      'token-6.1.0-9.efi': '6.1.0-9',
      'token-6.6+3-1.efi': '6.6',
      '6.6.efi': '6.6',
      'token-16.6.efi': undefined,
      'token-6.60.efi': undefined,
      'arch-linux.efi': undefined,
      'Upper-6.6.EFI': '6.6',
    })
    expect(unified?.images.every(({ bytes }) => bytes === 5)).toBe(true)
  })

  it('come with the hooks of the administrator', () => {
    put(root, '/efi/EFI/Linux/a.efi', '')
    put(root, '/etc/kernel/install.d/95-sign.install', '')
    put(root, '/etc/kernel/install.d/README', '')
    expect(read().unified?.hooks).toEqual(['95-sign.install'])
  })

  it.each([
    [[6, 0, 0, 0, 1], true],
    [[6, 0, 0, 0, 0], false],
    [[6, 0], false],
  ])('Secure Boot as the firmware says it: %j', (bytes, secureBoot) => {
    const path = '/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c'
    put(root, path, '')
    fs.writeFileSync(join(root, path), Buffer.from(bytes))
    expect(read()).toEqual({ secureBoot })
  })
})
