/** Findings about the host as a whole: is the IOMMU on, by which evidence not, and what is the remedy on exactly this host. */
import type { Finding } from '../base/finding.ts'
import { cmdlineRemedy } from './remedies.ts'
import type { HostView } from './host-view.ts'

export function checkHost(view: HostView): Finding[] {
  return [...checkIommuState(view), ...checkVirtualisation(view), ...checkOverride(view)]
}

export function checkIommuState(view: HostView): Finding[] {
  const { iommu, hypervisor } = view.host
  const { state } = iommu
  // The firmware's tables are there as well, and not for this kernel.
  if (hypervisor === 'xen' && state === 'off') return [whyAbsent(view)]
  if (state === 'off') return [{ code: 'iommu-off', severity: 'warning', ...whyOff(view) }]
  return state === 'absent' ? [whyAbsent(view)] : []
}

/** Parameters of the running kernel, `-` and `_` alike, as the kernel compares them. */
function parametersOf(view: HostView): string[] {
  const words = (view.host.kernel.cmdline ?? '').split(/\s+/).filter(Boolean)
  return words.map((word) => {
    const [key = '', ...value] = word.split('=')
    return [key.replaceAll('-', '_'), ...value].join('=')
  })
}

/** The firmware offers an IOMMU (its table is there), and the kernel made no groups. */
function whyOff(view: HostView): Pick<Finding, 'message' | 'help'> {
  const { host } = view
  const { iommu, kernel } = host
  if (host.source.kind !== 'live' && iommu.kind === null && iommu.dmar === undefined && iommu.ivrs === undefined)
    return {
      message: 'the kernel made no IOMMU groups, and the input does not say whether the firmware offers an IOMMU',
      help: `enable VT-d (Intel) or IOMMU (AMD) in the firmware setup; on Intel also ${cmdlineRemedy(host, { add: 'intel_iommu=on' })}`,
    }
  const table = iommu.kind === 'amd' ? 'IVRS' : 'DMAR'
  const offered = `the IOMMU is off: the firmware offers one (ACPI table ${table}), but`
  const parameters = parametersOf(view)
  const switchedOff = parameters.find((word) => /^(?:(?:intel|amd)_iommu=(?:.*,)?off|iommu=(?:.*,)?off)\b/.test(word))
  if (switchedOff !== undefined)
    return {
      message: `${offered} ${switchedOff} on the kernel command line turns it off`,
      help: cmdlineRemedy(host, { remove: switchedOff }),
    }
  if (iommu.kind === 'amd') {
    const encrypted = parameters.some((word) => word.startsWith('mem_encrypt=on'))
    return {
      message: `${offered} ${encrypted ? 'memory encryption (mem_encrypt=on) keeps the kernel from using it' : 'the kernel did not take it'}`,
      help: encrypted
        ? cmdlineRemedy(host, { remove: 'mem_encrypt=on' })
        : 'look for its errors: dmesg | grep -i amd-vi',
    }
  }
  if (parameters.some((word) => /^intel_iommu=(?:.*,)?on\b/.test(word)))
    return {
      message: `${offered} the driver gave up although intel_iommu=on is set`,
      help: 'look for its errors (dmesg | grep DMAR) and for a firmware update',
    }
  const byDefault =
    kernel.config?.['INTEL_IOMMU_DEFAULT_ON'] === 'y' || kernel.config?.['INTEL_IOMMU_DEFAULT_ON_INTGPU_OFF'] === 'y'
  return {
    message: `${offered} ${byDefault ? 'the kernel made no groups' : 'this kernel does not use it by default'}`,
    help: cmdlineRemedy(host, { add: 'intel_iommu=on' }),
  }
}

function whyAbsent({ host }: HostView): Finding {
  const { cpu, hypervisor } = host
  if (hypervisor === 'xen')
    return {
      code: 'iommu-absent',
      severity: 'warning',
      message: 'Xen owns the IOMMU of this machine',
      help: 'pass devices through with Xen (xl pci-assignable-add), or start the machine without Xen',
    }
  if (cpu.isGuest === true)
    return {
      code: 'iommu-absent',
      severity: 'warning',
      message: 'this machine is itself a virtual machine, and it has no virtual IOMMU',
      help: 'give the outer virtual machine an IOMMU with interrupt remapping (QEMU: -device intel-iommu,intremap=on)',
    }
  if (cpu.virtualisation)
    return {
      code: 'iommu-off-in-firmware',
      severity: 'warning',
      message: `the CPU can virtualise (${cpu.virtualisation}), but the firmware offers no IOMMU (no DMAR or IVRS table)`,
      help:
        cpu.virtualisation === 'svm'
          ? 'enable IOMMU (AMD-Vi) in the firmware setup, often under NBIO or AMD CBS'
          : 'enable VT-d in the firmware setup',
    }
  return {
    code: 'iommu-absent',
    severity: 'warning',
    message: 'there is no IOMMU: no groups, no DMAR or IVRS table, and the CPU reports no virtualisation',
    help: 'enable virtualisation (VT-x/AMD-V) and VT-d/AMD-Vi in the firmware setup; if neither is offered, this machine cannot pass devices through',
  }
}

/** VFIO itself does not need it, every useful VM does. */
function checkVirtualisation({ host }: HostView): Finding[] {
  const { cpu, iommu } = host
  if (iommu.state !== 'on' || cpu.virtualisation !== null || cpu.isGuest === true || cpu.vendor === undefined) return []
  return [
    {
      code: 'no-virtualisation',
      severity: 'warning',
      message: 'the CPU reports no virtualisation (vmx or svm): VMs would run in software, many times slower',
      help: 'enable VT-x or AMD-V (SVM) in the firmware setup',
    },
  ]
}

function checkOverride(view: HostView): Finding[] {
  const found = view.acsOverride()
  if (found === undefined) return []
  const { word, file, inForce } = found
  const effect = 'it changes what the kernel claims, not what the hardware isolates'
  const where = file === undefined ? `${word} is on the kernel command line` : `${word} stands in ${file}`
  if (inForce === false)
    return [
      {
        code: 'acs-override',
        severity: 'note',
        message: `${where}, and this kernel was started without it: from the next start on ${effect}`,
        help: 'take it out, and do not rely on groups that it makes',
      },
    ]
  const doubt = inForce === undefined ? ' (whether this kernel was started with it is not known)' : ''
  return [
    {
      code: 'acs-override',
      severity: 'warning',
      message: `${where}${doubt}: ${effect}`,
      help: 'do not rely on the groups of this host; devices may reach each other past the IOMMU',
    },
  ]
}
