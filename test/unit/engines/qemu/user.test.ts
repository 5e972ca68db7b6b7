import { expect, it } from 'vitest'
import { qemuUser } from '../../../../src/engines/qemu/user.ts'
import { linuxSystem } from '../../../../src/machine/linux.ts'
import { tree } from '../../../support/sysfs-tree.ts'

const user = 'handover-qemu:x:64711:64712::/:/usr/sbin/nologin\n'
const inPasswd = (text: string) => qemuUser(linuxSystem({ root: tree({ '/etc/passwd': text }) }))

it('finds the user of the package, also in a long list', () => {
  expect(inPasswd(user)).toEqual({ uid: 64711, gid: 64712 })
  const others = 'a:x:1:1:::\n'.repeat(200_000)
  expect(inPasswd(`${others}${user}`)).toEqual({ uid: 64711, gid: 64712 })
})

it('finds none where there is no list, or no such user in it', () => {
  expect(qemuUser(linuxSystem({ root: tree({ '/etc/hostname': 'a\n' }) }))).toBeUndefined()
  expect(inPasswd('root:x:0:0::/root:/bin/sh\n')).toBeUndefined()
})

it('stops where the list cannot be read: QEMU must not keep its privileges because of that', () => {
  const root = tree({ '/etc/passwd/file': '' })
  expect(() => qemuUser(linuxSystem({ root }))).toThrow('/etc/passwd cannot be read (EISDIR)')
})
