import { execFileSync, spawn, spawnSync } from 'node:child_process'
import * as fs from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { bindScript, bindingsPath, formatBindings } from '../../../src/boot/early-binding.ts'
import {
  formatTrialConf,
  parseTrialConf,
  trialScript,
  type TrialChecks,
} from '../../../src/boot/trial/trial.ts'
import { findBootEntry, makeTrialEntry } from '../../../src/boot/loaders/grub-menu.ts'
import { fakeSysfs, identityOf, put, tempTree, type FakeDevice } from '../../support/fake-kernel.ts'

/** As Debian's grub-mkconfig writes it, shortened. */
const grubCfg = `### BEGIN /etc/grub.d/10_linux ###
function gfxmode {
	set gfxpayload="\${1}"
}
menuentry 'Debian GNU/Linux' --class debian $menuentry_id_option 'gnulinux-simple-1' {
	load_video
	if [ x$grub_platform = xxen ]; then insmod xzio; insmod lzopio; fi
	if [ x$feature_platform_search_hint = xy ]; then
	  search --no-floppy --fs-uuid --set=root 1-2
	fi
	echo	'Loading Linux 6.1.0-2 ...'
	linux	/boot/vmlinuz-6.1.0-2 root=UUID=1-2 ro intel_iommu=off quiet
	initrd	/boot/intel-ucode.img /boot/initrd.img-6.1.0-2
}
submenu 'Advanced options for Debian GNU/Linux' $menuentry_id_option 'gnulinux-advanced-1' {
	menuentry 'Debian GNU/Linux, with Linux 6.1.0-1' {
		linux	/boot/vmlinuz-6.1.0-1 root=UUID=1-2 ro
		initrd	/boot/initrd.img-6.1.0-1
	}
}
if [ -f  $prefix/custom.cfg ]; then
  source $prefix/custom.cfg
fi
`

describe('the entry of a trial', () => {
  const wanted = { add: ['intel_iommu=on'], remove: ['intel_iommu=off'], initramfs: 'handover-trial.img' }

  it('is the entry that started this kernel, with its own arguments and initramfs', () => {
    const entry = findBootEntry(grubCfg, '(hd0,gpt2)/boot/vmlinuz-6.1.0-2')
    expect(makeTrialEntry(entry ?? '', wanted)).toEqual({
      ok: true,
      text: `# Written by handover. To undo: handover rollback.
menuentry 'Handover: trial boot' --id handover-trial {
	load_video
	if [ x$grub_platform = xxen ]; then insmod xzio; insmod lzopio; fi
	if [ x$feature_platform_search_hint = xy ]; then
	  search --no-floppy --fs-uuid --set=root 1-2
	fi
	echo	'Loading Linux 6.1.0-2 ...'
	linux /boot/vmlinuz-6.1.0-2 root=UUID=1-2 ro quiet intel_iommu=on panic=30 rd.shell=0 rd.emergency=reboot handover.trial=1
	initrd	/boot/intel-ucode.img /boot/handover-trial.img
}
`,
    })
  })

  it('is found inside a submenu, and not made up where nothing started this kernel', () => {
    expect(findBootEntry(grubCfg, '/boot/vmlinuz-6.1.0-1')).toContain('initrd.img-6.1.0-1')
    expect(findBootEntry(grubCfg, '/boot/vmlinuz-5')).toBeUndefined()
    expect(findBootEntry(grubCfg, undefined)).toBeUndefined()
    expect(makeTrialEntry('\tlinux /vmlinuz a', wanted)).toEqual({
      ok: false,
      reason: 'the entry has no initramfs',
    })
  })
})

const nic: FakeDevice = {
  address: '0000:01:00.0',
  place: 'pci0000:00/0000:00:1c.0/0000:01:00.0',
  vendor: '8086',
  device: '10d3',
  driver: 'vfio-pci',
}
const disk: FakeDevice = {
  address: '0000:00:1f.2',
  place: 'pci0000:00/0000:00:1f.2',
  vendor: '8086',
  device: '2922',
  driver: 'ahci',
}
const checks: TrialChecks = {
  minutes: 10,
  mounts: ['/', '/srv'],
  hasDefaultRoute: true,
  addresses: ['192.168.1.5'],
  drivers: [[disk.address, 'ahci']],
  waits: [],
  add: ['intel_iommu=on'],
  remove: [],
}
/** As the kernel prints it: networks and broadcast addresses are leaves, too. */
const fibTrie = (address: string) => `Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 192.168.1.0/24 2 0 2
        |-- 192.168.1.0
           /24 link UNICAST
        |-- ${address}
           /32 host LOCAL
        |-- 192.168.1.255
           /32 link BROADCAST
`
const busybox =
  spawnSync('busybox', ['true']).status === 0 ? [['busybox', ['busybox', 'sh']] as [string, string[]]] : []

describe.each<[string, string[]]>([['sh', ['sh']], ['bash', ['bash', '--posix']], ...busybox])(
  'the check of a trial boot in %s',
  (_, shell) => {
    let root = ''
    beforeEach(() => {
      root = tempTree()
      fakeSysfs(root, [nic, disk], { 'vfio-pci': [], ahci: [] })
      put(root, '/proc/cmdline', 'BOOT_IMAGE=/vmlinuz handover.trial=1\n')
      put(root, '/proc/uptime', '30.12 50.00\n')
      put(root, '/proc/mounts', '/dev/sda1 / ext4 rw 0 0\n/dev/sdb1 /srv ext4 rw 0 0\n')
      put(
        root,
        '/proc/net/route',
        'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\nbr0\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n',
      )
      put(root, '/proc/net/fib_trie', fibTrie('192.168.1.5'))
      put(root, '/dev/kmsg', '')
      put(root, '/etc/handover/bind', bindScript, 0o755)
      put(root, '/etc/handover/trial', trialScript, 0o755)
      put(
        root,
        bindingsPath,
        formatBindings({ identities: [identityOf(nic)] }, { token: 'handover.trial=1', inForce: undefined }),
      )
      put(root, '/etc/handover/trial.conf', formatTrialConf(checks))
    })
    afterEach(() => fs.rmSync(root, { recursive: true, force: true }))

    const read = (path: string) =>
      fs.existsSync(join(root, path)) ? fs.readFileSync(join(root, path), 'utf8').trim() : undefined

    const command = (): [string, ...string[]] => {
      const [program = 'sh', ...args] = shell
      return [program, ...args, join(root, 'etc/handover/trial')]
    }
    const environment = () => ({
      PATH: process.env['PATH'] ?? '',
      HANDOVER_ROOT: root,
      HANDOVER_SLEEP: '0.05',
    })

    /** One look: with time run out, or a confirmation in place, the script ends after it. */
    function look(change: () => void = () => undefined): {
      status: number | null
      health: string | undefined
      result: string | undefined
    } {
      change()
      const [program, ...args] = command()
      const { status } = spawnSync(program, args, { env: environment(), timeout: 20_000 })
      return {
        status,
        health: read('/run/handover/trial-health'),
        result: read('/var/lib/handover/trial-result'),
      }
    }
    const timeIsUp = () => put(root, '/proc/uptime', '600.00 1\n')
    const confirm = () => put(root, '/run/handover/confirmed', 'now\n')

    it('ends well when it is healthy and confirmed', () =>
      expect(look(confirm)).toEqual({ status: 0, health: 'healthy', result: undefined }))

    it('goes back when nobody confirms', () =>
      expect(look(timeIsUp)).toEqual({
        status: 7,
        health: 'healthy',
        result: 'the trial boot was given up after 10 minutes: nobody confirmed it',
      }))

    it.each<[string, () => void, string]>([
      [
        'a file system is missing',
        () => put(root, '/proc/mounts', '/dev/sda1 / ext4 rw 0 0\n'),
        '/srv is not mounted',
      ],
      [
        'the default route is missing',
        () => put(root, '/proc/net/route', 'Iface\tDestination\n'),
        'there is no default route',
      ],
      [
        'the host has another address',
        () => put(root, '/proc/net/fib_trie', fibTrie('192.168.1.6')),
        'the host does not have its address 192.168.1.5',
      ],
      [
        'a needed device changed driver',
        () => fs.unlinkSync(join(root, 'sys/devices', disk.place, 'driver')),
        '0000:00:1f.2 has driver , expected ahci',
      ],
      [
        'an assigned device is not on vfio-pci',
        () => fs.unlinkSync(join(root, 'sys/devices', nic.place, 'driver')),
        '0000:01:00.0 has driver , expected vfio-pci',
      ],
      [
        'another device sits at the place',
        () => put(root, `/sys/devices/${nic.place}/device`, '0x1572\n'),
        '0000:01:00.0 at 0000:00/1c.0/00.0 is not the recorded device (device is 1572, recorded is 10d3); nothing was bound',
      ],
    ])('goes back when %s, and says so', (_, change, words) => {
      timeIsUp()
      expect(look(change)).toEqual({
        status: 7,
        health: words,
        result: `the trial boot was given up after 10 minutes: ${words}`,
      })
    })

    it('goes back at half-time when it is not whole, since nobody could confirm it', () => {
      put(root, '/proc/uptime', '300.10 1\n')
      expect(look(() => put(root, '/proc/net/route', 'Iface\tDestination\n'))).toEqual({
        status: 7,
        health: 'there is no default route',
        result: 'the trial boot was given up after 5 minutes: there is no default route',
      })
    })

    it('does not judge before the VMs may be up by which the host reaches its network', async () => {
      const waits = [
        { vm: 'firewall', seconds: 420 },
        { vm: 'dns', seconds: 90 },
      ]
      put(root, '/etc/handover/trial.conf', formatTrialConf({ ...checks, waits }))
      put(root, '/proc/net/route', 'Iface\tDestination\n')
      put(root, '/proc/uptime', '419.10 1\n')
      await looksOn('there is no default route yet, and may get it from: firewall dns')
      put(root, '/proc/uptime', '420.10 1\n')
      expect(look()).toEqual({
        status: 7,
        health: 'there is no default route',
        result: 'the trial boot was given up after 7 minutes: there is no default route',
      })
    })

    it('finds a mount point with a blank and a backslash, as /proc/mounts writes it, and misses it when it is gone', () => {
      put(
        root,
        '/etc/handover/trial.conf',
        formatTrialConf({ ...checks, mounts: ['/', '/srv/old films\\b'] }),
      )
      expect(look(timeIsUp).health).toBe('/srv/old\\040films\\134b is not mounted')
      put(root, '/proc/mounts', '/dev/sda1 / ext4 rw 0 0\n/dev/sdb1 /srv/old\\040films\\134b ext4 rw 0 0\n')
      expect(look(confirm).health).toBe('healthy')
    })

    /** It looks, and when its word is taken away it looks again, and does not go back. */
    async function looksOn(health: string): Promise<void> {
      const [program, ...args] = command()
      const child = spawn(program, args, { env: environment(), stdio: 'ignore' })
      try {
        for (const _look of [1, 2]) {
          await vi.waitUntil(() => read('/run/handover/trial-health') === health, 10_000)
          fs.rmSync(join(root, 'run/handover/trial-health'))
        }
        expect(child.exitCode).toBeNull()
        expect(read('/var/lib/handover/trial-result')).toBeUndefined()
      } finally {
        child.kill('SIGKILL')
      }
    }

    it('waits on before half-time', async () => {
      put(root, '/proc/uptime', '299.10 1\n')
      put(root, '/proc/net/route', 'Iface\tDestination\n')
      await looksOn('there is no default route')
    })

    it('does nothing on any other boot', () => {
      put(root, '/proc/cmdline', 'BOOT_IMAGE=/vmlinuz\n')
      expect(look(timeIsUp)).toEqual({ status: 0, health: undefined, result: undefined })
    })

    it('finds an IPv6 default route', () => {
      put(root, '/proc/net/route', 'Iface\tDestination\n')
      put(
        root,
        '/proc/net/ipv6_route',
        `${'0'.repeat(32)} 00 ${'0'.repeat(32)} 00 fe800000000000000000000000000001 00000400 1 0 00000003     br0\n`,
      )
      expect(look(confirm).health).toBe('healthy')
    })
  },
)

it('keeps the arguments under trial for the confirmation', () => {
  expect(parseTrialConf(formatTrialConf({ ...checks, remove: ['intel_iommu=off'] }))).toEqual({
    add: ['intel_iommu=on'],
    remove: ['intel_iommu=off'],
  })
  execFileSync('bash', ['-n', '-c', trialScript])
})
