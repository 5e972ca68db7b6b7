/**
 * Findings about the host as a whole: is the IOMMU on, by which evidence not, and what is the remedy on
 * exactly this host.
 */
import type { Finding } from '../base/finding.ts'
import { rawArgs, readArg } from '../boot/cmdline.ts'
import { changeRemedy } from '../boot/loaders/loaders.ts'
import { saysOff } from '../boot/remapping-args.ts'
import type { Host } from '../host/host.ts'
import { checkHeld } from './checks/held.ts'
import type { HostView } from './host-view.ts'

export function checkHost(view: HostView): Finding[] {
  return [
    ...checkIommuState(view),
    ...checkVirtualisation(view),
    ...checkOverride(view),
    ...checkHeld(view.host),
  ]
}

export function checkIommuState(view: HostView): Finding[] {
  const { iommu, hypervisor } = view.host
  const { state } = iommu
  // The firmware's tables are there as well, and not for this kernel.
  if (hypervisor === 'xen' && state === 'off') return [whyAbsent(view)]
  if (state === 'off') return [{ code: 'iommu-off', severity: 'warning', ...whyOff(view) }]
  return state === 'absent' ? [whyAbsent(view)] : []
}

type Why = Pick<Finding, 'message' | 'help'>

/** The firmware offers an IOMMU (its table is there), and the kernel made no groups. */
function whyOff({ host }: HostView): Why {
  const { iommu } = host
  const turnOn = changeRemedy(host, { add: ['intel_iommu=on'], remove: [] })
  if (
    host.source.kind !== 'live' &&
    iommu.kind === null &&
    iommu.dmar === undefined &&
    iommu.ivrs === undefined
  )
    return {
      message:
        'the kernel made no IOMMU groups, and the input does not say whether the firmware ' +
        'offers an IOMMU',
      help: `enable VT-d (Intel) or IOMMU (AMD) in the firmware setup; on Intel also ${turnOn}`,
    }
  const table = iommu.kind === 'amd' ? 'IVRS' : 'DMAR'
  const offered = `the IOMMU is off: the firmware offers one (ACPI table ${table}), but`
  const args = rawArgs(host.kernel.cmdline ?? '')
  const switchedOff = args.find(turnsIommuOff)
  if (switchedOff !== undefined)
    return {
      message: `${offered} ${switchedOff} on the kernel command line turns it off`,
      help: changeRemedy(host, { add: [], remove: [switchedOff] }),
    }
  return iommu.kind === 'amd'
    ? whyOffOnAmd(host, offered, args)
    : whyOffOnIntel(host, { offered, args, turnOn })
}

/**
 * Arguments that keep the kernel from using the IOMMU: drivers/iommu, arch/x86/kernel/pci-dma.c
 * (iommu_setup).
 */
function turnsIommuOff(raw: string): boolean {
  const { key, value = '' } = readArg(raw)
  return ['intel_iommu', 'amd_iommu', 'iommu'].includes(key) && saysOff(value)
}

function whyOffOnAmd(host: Host, offered: string, args: readonly string[]): Why {
  const encrypted = args.find(
    (raw) => readArg(raw).key === 'mem_encrypt' && readArg(raw).value?.startsWith('on'),
  )
  if (encrypted === undefined)
    return {
      message: `${offered} the kernel did not take it`,
      help: 'look for its errors: dmesg | grep -i amd-vi',
    }
  return {
    message: `${offered} memory encryption (${encrypted}) keeps the kernel from using it`,
    help: changeRemedy(host, { add: [], remove: [encrypted] }),
  }
}

function whyOffOnIntel(
  { kernel }: Host,
  found: { readonly offered: string; readonly args: readonly string[]; readonly turnOn: string },
): Why {
  const { offered, args, turnOn } = found
  const isOn = args.some((raw) => {
    const { key, value = '' } = readArg(raw)
    return key === 'intel_iommu' && value.split(',').some((word) => word.startsWith('on'))
  })
  if (isOn)
    return {
      message: `${offered} the driver gave up although intel_iommu=on is set`,
      help: 'look for its errors (dmesg | grep DMAR) and for a firmware update',
    }
  const byDefault =
    kernel.config?.['INTEL_IOMMU_DEFAULT_ON'] === 'y' ||
    kernel.config?.['INTEL_IOMMU_DEFAULT_ON_INTGPU_OFF'] === 'y'
  return {
    message:
      `${offered} ` + (byDefault ? 'the kernel made no groups' : 'this kernel does not use it by default'),
    help: turnOn,
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
      help:
        'give the outer virtual machine an IOMMU with interrupt remapping (QEMU: -device ' +
        'intel-iommu,intremap=on)',
    }
  if (cpu.virtualisation)
    return {
      code: 'iommu-off-in-firmware',
      severity: 'warning',
      message:
        `the CPU can virtualise (${cpu.virtualisation}), but the firmware offers no IOMMU (no ` +
        'DMAR or IVRS table)',
      help:
        cpu.virtualisation === 'svm'
          ? 'enable IOMMU (AMD-Vi) in the firmware setup, often under NBIO or AMD CBS'
          : 'enable VT-d in the firmware setup',
    }
  return {
    code: 'iommu-absent',
    severity: 'warning',
    message: 'there is no IOMMU: no groups, no DMAR or IVRS table, and the CPU reports no virtualisation',
    help:
      'enable virtualisation (VT-x/AMD-V) and VT-d/AMD-Vi in the firmware setup; if neither is ' +
      'offered, this machine cannot pass devices through',
  }
}

/** VFIO itself does not need it, every useful VM does. */
function checkVirtualisation({ host }: HostView): Finding[] {
  const { cpu, iommu } = host
  if (iommu.state !== 'on' || cpu.virtualisation !== null || cpu.isGuest === true || cpu.vendor === undefined)
    return []
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
