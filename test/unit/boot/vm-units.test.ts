/** The text of the units, read by systemd itself where it is installed. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  installedProgram,
  vmDropInPath,
  vmUnitName,
  vmOfUnitFolder,
  vmTargetPath,
  vmUnitFiles,
  type VmUnit,
} from '../../../src/boot/vm-units.ts'
import { lacks } from '../../support/tools.ts'

const firewall: VmUnit = {
  ...{ vm: 'firewall', startsWithHost: true, needs: [], needsHostNetwork: false, startSeconds: 420 },
  ...{ paths: ['/srv/vm images/firewall 100%.qcow2', '/dev/disk/by-id/ata-X_1'], bridges: ['br-lan'] },
}
const media: VmUnit = {
  ...{ vm: 'media', startsWithHost: true, needs: ['firewall', 'lamp'], needsHostNetwork: true },
  ...{ startSeconds: 600, paths: ['/srv/"odd\\.img'], bridges: [] },
}
const lamp: VmUnit = {
  ...{ vm: 'lamp', startsWithHost: false, needs: [], needsHostNetwork: false, startSeconds: 300 },
  ...{ paths: [], bridges: [] },
}
const files = vmUnitFiles([firewall, media, lamp])
const textOf = (path: string) => files.find((file) => file.path === path)?.text ?? ''

describe('the units of VMs', () => {
  it('wait for what the VM starts from', () => {
    expect(textOf(vmDropInPath('firewall'))).toBe(
      `# Written by handover. To undo: handover rollback.
[Unit]
Wants=sys-subsystem-net-devices-br\\x2dlan.device dev-disk-by\\x2did-ata\\x2dX_1.device
After=sys-subsystem-net-devices-br\\x2dlan.device dev-disk-by\\x2did-ata\\x2dX_1.device
RequiresMountsFor=/var/lib/handover "/srv/vm images/firewall 100%%.qcow2"

[Service]
TimeoutStartSec=420
`,
    )
  })

  it('follow what the VM needs, and pull in none that only a person starts', () => {
    expect(textOf(vmDropInPath('media')).split('\n').slice(2, 5)).toEqual([
      'Wants=handover-vm@firewall.service network-online.target',
      'After=handover-vm@firewall.service handover-vm@lamp.service network-online.target',
      'RequiresMountsFor=/var/lib/handover',
    ])
    expect(textOf(vmTargetPath)).toContain(
      '[Unit]\nWants=handover-vm@firewall.service handover-vm@media.service\n',
    )
  })

  it('are recognised by the folder of the drop-in', () => {
    expect(vmOfUnitFolder(basename(dirname(vmDropInPath('media-2'))))).toBe('media-2')
    for (const name of ['handover-vm@.service.d', 'handover-vm@A.service.d', 'handover-vm@a.service'])
      expect(vmOfUnitFolder(name)).toBeUndefined()
  })

  const skip = lacks('systemd-analyze')
  it.skipIf(skip)(`are understood by systemd${skip ? ' (needs systemd-analyze)' : ''}`, () => {
    const root = mkdtempSync(join(tmpdir(), 'handover-units-'))
    try {
      for (const { path, text } of files) {
        mkdirSync(join(root, dirname(path)), { recursive: true })
        // The program need not be installed on the machine of the test.
        writeFileSync(join(root, path), text.replaceAll(installedProgram, '/bin/true'))
      }
      const folder = join(root, 'etc/systemd/system')
      expect(verify(folder)).toBe('')
      const broken = '[Unit]\nRequiresMountFor=/srv\n[Service]\nTimeoutStartSec=soon\n'
      writeFileSync(join(root, vmDropInPath('media')), broken)
      expect(verify(folder)).toMatch(/RequiresMountFor.*\n.*TimeoutStartSec/)
    } finally {
      rmSync(root, { recursive: true, force: true })
    }
  })
})

/** What systemd says of the units in a folder; its own are found behind it. */
function verify(folder: string): string {
  const { stderr } = spawnSync(
    'systemd-analyze',
    ['verify', '--man=no', ...['firewall', 'media', 'lamp'].map(vmUnitName)],
    { encoding: 'utf8', env: { ...process.env, SYSTEMD_UNIT_PATH: `${folder}:` } },
  )
  return stderr
    .split('\n')
    .filter((line) => line.includes('handover'))
    .join('\n')
}
