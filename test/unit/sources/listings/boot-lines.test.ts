/**
 * Command lines and configuration files pasted beside a listing: what is in force, and what the next start
 * gets.
 */
import { describe, expect, test } from 'vitest'
import { findForeignIds } from '../../../../src/plan/changes/foreign-ids.ts'
import { judgeHost } from '../../../../src/judge/judge.ts'
import { readText } from './reading.ts'

const listing = `IOMMU group 21 06:00.0 Ethernet controller [0200]: Acme Gigabit [1aaa:0021] (rev 01)
	Kernel driver in use: vfio-pci
IOMMU group 22 06:00.1 Ethernet controller [0200]: Acme Gigabit [1aaa:0021] (rev 01)
	Kernel driver in use: vfio-pci
`
const override = (text: string) => {
  const { findings, devices } = judgeHost(readText(text))
  return [
    ...findings.flatMap(({ code, severity }) => (code === 'acs-override' ? [severity] : [])),
    ...new Set(devices.map(({ verdict }) => verdict)),
  ].join(' ')
}

describe('the command line of the running kernel', () => {
  test.each([
    ['below cat', 'tower:~$ cat /proc/cmdline\nroot=/dev/vda1 ro quiet'],
    ['with any first word', '# cat /proc/cmdline\nmitigations=off nosmt initrd=\\initrd root=LABEL=r'],
    ['without a root', 'cat /proc/cmdline\nBOOT_IMAGE=/bzimage initrd=/bzroot'],
    ['below its name', '==> /proc/cmdline <==\nBOOT_IMAGE=/vm ro'],
    ['on a line of its own', 'BOOT_IMAGE=/vm root=/dev/vda1 ro quiet'],
  ])('%s', (_, text) => {
    const words = text.split('\n').at(-1)
    expect(readText(`${text}\n${listing}`).kernel.cmdline).toBe(words)
    expect(readText(`${listing}${text}\n`).kernel.cmdline).toBe(words)
  })

  test('what follows the command is not taken for one when it is something else', () => {
    for (const line of [
      'cat: /proc/cmdline: Permission denied',
      'tower:~$ lspci -nnk',
      '',
      'I have no idea, sorry.',
    ])
      expect(readText(`$ cat /proc/cmdline\n${line}\n${listing}`).kernel.cmdline).toBeUndefined()
  })
})

describe('pcie_acs_override', () => {
  test.each([
    ['nowhere', '', 'ready'],
    [
      'in force',
      'cat /proc/cmdline\nBOOT_IMAGE=/bzimage initrd=/bzroot pcie_acs_override=multifunction',
      'warning caution',
    ],
    ['with hyphens', 'cat /proc/cmdline\nroot=/dev/vda1 pcie-acs-override=downstream', 'warning caution'],
    ["in GRUB's file", 'GRUB_CMDLINE_LINUX="pcie_acs_override=downstream"', 'warning caution'],
    [
      "in GRUB's file, as grep prints it",
      '/etc/default/grub:GRUB_CMDLINE_LINUX_DEFAULT="pcie_acs_override=downstream"',
      'warning caution',
    ],
    ['as an item of a list', '- GRUB_CMDLINE_LINUX="pcie_acs_override=downstream"', 'warning caution'],
    ['as a piece of code', '> `GRUB_CMDLINE_LINUX_DEFAULT=pcie_acs_override=downstream`', 'warning caution'],
    ['in an argument of QEMU', '-append root=/dev/vda1 pcie_acs_override=downstream', 'ready'],
    [
      'in an entry of systemd-boot',
      'options root=LABEL=r rw pcie_acs_override=downstream',
      'warning caution',
    ],
    ['in grub.cfg', '\tlinux\t/vmlinuz-6.9 root=LABEL=r ro pcie_acs_override=downstream', 'warning caution'],
    ['as grubby prints it', 'args="ro pcie_acs_override=downstream"', 'warning caution'],
    ['for Limine', 'cmdline: root=LABEL=r rw pcie_acs_override=downstream', 'warning caution'],
    ['for rEFInd', '"Boot with defaults" "root=LABEL=r rw pcie_acs_override=downstream"', 'warning caution'],
    ['for NixOS', 'boot.kernelParams = [ "pcie_acs_override=downstream" ];', 'warning caution'],
    [
      "in kernel-install's file",
      'cat /etc/kernel/cmdline\nroot=LABEL=r pcie_acs_override=downstream',
      'warning caution',
    ],
    ['of rpm-ostree', '$ rpm-ostree kargs\nroot=LABEL=r pcie_acs_override=downstream', 'warning caution'],
    ['in a comment', '#GRUB_CMDLINE_LINUX="pcie_acs_override=downstream"', 'ready'],
    ["in Unraid's file", '  append pcie_acs_override=downstream initrd=/bzroot', 'warning caution'],
    [
      'in a file, and the kernel runs without',
      'GRUB_CMDLINE_LINUX="pcie_acs_override=downstream"\n$ cat /proc/cmdline\nroot=/dev/vda1 ro',
      'note ready',
    ],
  ])('%s', (_, text, said) => {
    expect(override(`${listing}${text}\n`)).toBe(said)
  })
})

describe('ids for drivers that take every device of a kind', () => {
  const found = (text: string) =>
    findForeignIds(readText(`${listing}${text}\n`)).map(({ where, ids }) => `${where} ${ids}`)
  test.each([
    [
      'cat /etc/modprobe.d/take.conf\noptions vfio-pci ids=1AAA:0021 disable_vga=1',
      ['/etc/modprobe.d/take.conf 1aaa:0021'],
    ],
    ['/etc/modprobe.d/take.conf:options vfio_pci ids=1aaa:0021', ['/etc/modprobe.d/take.conf 1aaa:0021']],
    ['options vfio-pci ids=1aaa:0021', ['/etc/modprobe.d/*.conf 1aaa:0021']],
    [
      'root@box:~# echo "options vfio-pci ids=1aaa:0021" > /etc/modprobe.d/x.conf',
      ['/etc/modprobe.d/x.conf 1aaa:0021'],
    ],
    ['vfio-pci ids=1aaa:0021', ['/etc/initramfs-tools/modules 1aaa:0021']],
    ['options root=LABEL=r vfio-pci.ids=1aaa:0021', ['/boot/loader/entries/*.conf 1aaa:0021']],
    ['#options vfio-pci ids=1aaa:0021', []],
    ['GRUB_CMDLINE_LINUX="quiet vfio-pci.ids=1aaa:0021"', ['/etc/default/grub 1aaa:0021']],
    ['  append vfio-pci.ids=1aaa:0021 initrd=/bzroot', ['/boot/syslinux/syslinux.cfg 1aaa:0021']],
    ['cat /proc/cmdline\nro vfio-pci.ids=1aaa:0021 quiet', ['the kernel command line 1aaa:0021']],
  ])('%s', (text, given) => {
    expect(found(text)).toEqual(given)
  })
})
