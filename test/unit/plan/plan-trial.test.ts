/**
 * One plan with everything in it: arguments on trial, huge pages, virtual functions, a device that an earlier
 * plan left bound.
 */
import { describe, expect, it } from 'vitest'
import { trialConfPath, trialToken } from '../../../src/boot/trial/trial.ts'
import type { Host, HostFile } from '../../../src/host/host.ts'
import { plan } from '../../../src/plan/plan.ts'
import { planConfirm } from '../../../src/plan/changes/plan-boot.ts'
import type { Step } from '../../../src/steps/step.ts'
import { parseSpec } from '../../../src/spec/parse-spec.ts'
import { device, host, need, rootPort } from '../../support/host-builder.ts'

const { spec } = parseSpec(
  `version: 1
host:
  hugepages: 2 MiB
  kernel-arguments: [iommu=pt, pcie_aspm=off]
  virtual-functions:
    lan: { physical-function: { class: nic, name: 'I350' }, count: 1 }
vms:
  a:
    memory: 1 GiB
    hugepages: true
    devices:
      screen: { class: gpu }
      net: { virtual-function: lan }
`,
  'home.yaml',
)

const bound = { driver: 'vfio-pci', driverOverride: 'vfio-pci' }
const card = { deviceId: '1521', name: 'I350 Gigabit Network Connection', driver: 'igb' }
const machine = host(
  [
    rootPort('00:1c.0', 1, { path: '0000:00/1c.0' }),
    rootPort('00:1d.0', 2, { path: '0000:00/1d.0' }),
    device('00:1f.2', { kind: 'storage', group: 2, path: '0000:00/1f.2' }),
    device('01:00.0', { kind: 'gpu', group: 3, path: '0000:00/1c.0/00.0' }),
    device('02:00.0', {
      ...card,
      group: 4,
      path: '0000:00/1d.0/00.0',
      sriov: { totalVfs: 7, numVfs: 1, driversAutoprobe: false },
    }),
    device('02:10.0', {
      ...card,
      deviceId: '1520',
      driver: null,
      group: 5,
      path: '0000:00/1d.0/00.0/vf0',
      physFn: device('02:00.0').address,
    }),
    // Given away by an earlier plan, and no VM has it any more.
    device('00:19.0', { group: 6, path: '0000:00/19.0', ...bound }),
  ],
  {
    kernel: { release: '6.1.0', cmdline: 'BOOT_IMAGE=/vmlinuz quiet intel_iommu=on' },
    memory: { totalMiB: 16_384, availableMiB: 12_000, hugepages: [{ sizeKiB: 2048, total: 0, free: 0 }] },
    needs: [need('00:1f.2', '/', ['sda2', 'sda'])],
    boot: {
      efi: false,
      present: [
        '/boot/grub/grub.cfg',
        '/etc/default/grub',
        '/usr/sbin/update-grub',
        '/usr/sbin/update-initramfs',
        '/etc/initramfs-tools',
        '/run/systemd/system',
      ],
      bootNames: ['vmlinuz'],
      grubEntry: 'linux /vmlinuz root=/dev/sda2 quiet intel_iommu=on\ninitrd /initrd.img',
      grubReadsCustom: true,
      grubFilesystem: { type: 'ext4', device: '/dev/sda2' },
      trialIsNext: true,
    },
    files: [
      { path: '/etc/default/grub', text: 'GRUB_CMDLINE_LINUX_DEFAULT="quiet intel_iommu=on"\n', mode: 0o644 },
    ],
  },
)

/** The host as the steps leave it, as far as a plan looks. */
function after(before: Host, steps: readonly Step[]): Host {
  const files = new Map((before.files ?? []).map((file) => [file.path, file]))
  let { devices, memory, boot } = before
  for (const step of steps) {
    if (step.kind === 'driver')
      devices = devices.map((one) => (one.address === step.address ? { ...one, ...bound } : one))
    if (step.kind === 'sysfs' && step.path.endsWith('nr_hugepages'))
      memory = { ...memory, hugepages: [{ sizeKiB: 2048, total: Number(step.after), free: 0 }] }
    if (step.kind !== 'file') continue
    if (step.path === '/boot/grub/custom.cfg' && boot) {
      const { grubCustom: _, ...rest } = boot
      boot = step.after === null ? rest : { ...rest, grubCustom: step.after.text }
    } else if (step.after === null) files.delete(step.path)
    else files.set(step.path, { path: step.path, ...step.after } satisfies HostFile)
  }
  return { ...before, devices, memory, files: [...files.values()], ...(boot ? { boot } : {}) }
}

/** The next boot: on the trial with its arguments, drivers as the early binding leaves them. */
function booted(before: Host, cmdline: string): Host {
  const devices = before.devices.map((one) =>
    one.address === '0000:00:19.0' ? { ...one, driver: 'e1000e' } : one,
  )
  return { ...before, devices, kernel: { release: '6.1.0', cmdline } }
}

const on = (one: Host) => {
  if (spec === undefined) throw new Error('the spec is broken')
  return plan(one, spec)
}

describe('arguments on trial beside huge pages and virtual functions', () => {
  const first = on(machine)
  const applied = after(machine, first.steps)

  it('are one plan, and after it nothing is left but a reboot', () => {
    expect(first.findings.filter(({ severity }) => severity === 'error')).toEqual([])
    expect(first.steps.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(['sysfs', 'file', 'command', 'driver']),
    )
    expect(on(applied)).toMatchObject({ steps: [], needsReboot: true })
  })

  it('expect no device on vfio-pci that no VM has any more: its own driver takes it at the next boot', () => {
    const conf = applied.files?.find(({ path }) => path === trialConfPath)?.text ?? ''
    expect(conf).toContain('driver 0000:02:00.0 igb\n')
    expect(conf).not.toContain('0000:00:19.0')
    expect(conf).not.toContain('vfio-pci')
  })

  it('wait for a confirmation on the trial boot, and leave nothing to do after it', () => {
    const cmdline = `BOOT_IMAGE=/vmlinuz quiet intel_iommu=on iommu=pt pcie_aspm=off panic=30 rd.shell=0 rd.emergency=reboot ${trialToken}`
    const trial = booted(applied, cmdline)
    expect(on(trial).findings.filter(({ severity }) => severity === 'error')).toMatchObject([
      { code: 'trial-unconfirmed' },
    ])
    const { steps, findings } = planConfirm(trial)
    expect(findings).toEqual([])
    expect(on(after(trial, steps))).toMatchObject({ steps: [], needsReboot: false })
  })
})
