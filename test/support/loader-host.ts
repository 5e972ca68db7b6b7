/** A temporary tree that looks like a host with UEFI firmware and one network card, its IOMMU off. */
import * as fs from 'node:fs'
import { join } from 'node:path'
import { fakeSysfs, put, tempTree } from './fake-kernel.ts'
import { nic } from './transactions.ts'

export const kernel = '6.1.0-9-amd64'

/** `present`: empty files, executable; what only has to exist. */
export function loaderTree(present: readonly string[], folders: readonly string[], cmdline: string): string {
  const root = tempTree()
  fakeSysfs(root, [nic], { e1000e: ['8086:10d3'], 'vfio-pci': [] })
  put(root, '/sys/firmware/acpi/tables/DMAR', 'DMAR')
  put(root, '/proc/cmdline', `${cmdline}\n`)
  put(root, '/proc/sys/kernel/osrelease', `${kernel}\n`)
  put(root, '/proc/self/mountinfo', '22 1 8:1 / / rw - ext4 /dev/sda1 rw\n')
  put(root, '/dev/kmsg', '')
  for (const path of present) put(root, path, '', 0o755)
  for (const path of ['/run/systemd/system', '/etc/udev', '/var/lib', `/lib/modules/${kernel}`, ...folders])
    fs.mkdirSync(join(root, path), { recursive: true })
  return root
}

/** An EFI variable of the Boot Loader Interface as efivarfs shows it: attributes, then UTF-16 with an end. */
export function putLoaderVariable(root: string, name: string, value: string): void {
  const text = Buffer.from(`${value}\0`, 'utf16le')
  const path = `/sys/firmware/efi/efivars/${name}-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f`
  put(root, path, '')
  fs.writeFileSync(join(root, path), Buffer.concat([Buffer.from([7, 0, 0, 0]), text]))
}
