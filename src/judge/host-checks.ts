/** Findings about the host as a whole: is the IOMMU on, and what is the remedy on exactly this host. */
import type { Finding } from '../finding.ts'
import type { HostView } from './view.ts'

export function checkHost(view: HostView): Finding[] {
  return [...checkIommuState(view), ...checkOverride(view)]
}

export function checkIommuState(view: HostView): Finding[] {
  const { iommu, cpu, kernel } = view.host
  const switchedOff = (kernel.cmdline ?? '')
    .split(/\s+/)
    .find((arg) => /^(?:intel_iommu|amd_iommu|iommu)=off\b/.test(arg))
  if (iommu.state === 'off') {
    const table = iommu.kind === 'amd' ? 'IVRS' : 'DMAR'
    const message = `the IOMMU is off: the firmware offers one (ACPI table ${table}), but the kernel made no groups`
    if (switchedOff)
      return [
        {
          code: 'iommu-off',
          severity: 'warning',
          message,
          help: `remove ${switchedOff} from the kernel command line and restart`,
        },
      ]
    const help =
      iommu.kind === 'amd'
        ? 'look for AMD-Vi errors in the kernel log (dmesg | grep -i amd-vi)'
        : 'add intel_iommu=on to the kernel command line and restart'
    return [{ code: 'iommu-off', severity: 'warning', message, help }]
  }
  if (iommu.state !== 'absent') return []
  if (cpu.isGuest === true)
    return [
      {
        code: 'iommu-absent',
        severity: 'warning',
        message: 'this machine is itself a virtual machine, and it has no virtual IOMMU',
        help: 'give the outer virtual machine an IOMMU with interrupt remapping (QEMU: -device intel-iommu,intremap=on)',
      },
    ]
  if (cpu.virtualisation)
    return [
      {
        code: 'iommu-off-in-firmware',
        severity: 'warning',
        message: `the CPU can virtualise (${cpu.virtualisation}), but the firmware offers no IOMMU (no DMAR or IVRS table)`,
        help:
          cpu.virtualisation === 'svm'
            ? 'enable IOMMU (AMD-Vi) in the firmware setup'
            : 'enable VT-d in the firmware setup',
      },
    ]
  return [
    {
      code: 'iommu-absent',
      severity: 'warning',
      message: 'there is no IOMMU: no groups, no DMAR or IVRS table, and the CPU reports no virtualisation',
      help: 'enable virtualisation (VT-x/AMD-V) and VT-d/AMD-Vi in the firmware setup; if neither is offered, this machine cannot pass devices through',
    },
  ]
}

function checkOverride(view: HostView): Finding[] {
  const arg = (view.host.kernel.cmdline ?? '').split(/\s+/).find((part) => part.startsWith('pcie_acs_override='))
  if (arg === undefined) return []
  return [
    {
      code: 'acs-override',
      severity: 'warning',
      message: `${arg} is on the kernel command line: it changes what the kernel claims, not what the hardware isolates`,
      help: 'do not rely on the groups of this host; devices may reach each other past the IOMMU',
    },
  ]
}
