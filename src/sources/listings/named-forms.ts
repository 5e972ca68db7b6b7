/**
 * Known forms that cannot be read: the name of each, and the command to run instead. They are tried only if
 * nothing in the text could be read, so a short mark is enough, if no other form has it.
 */
export type NamedForm = { readonly name: string; readonly run: string }

const lspci = 'sudo lspci -nnk, and: find /sys/kernel/iommu_groups -type l'
const full = 'sudo lspci -nnvvv (pciutils 3.7 or newer)'

/** The first form whose mark is found counts. */
const forms: readonly (readonly [RegExp, string, string])[] = [
  [
    /^[\s>]{0,40}-(?:\[[0-9a-f]{4,8}:[0-9a-f]{2}\]|\+)-/im,
    'the drawing that lspci -t makes of the buses (a tree)',
    full,
  ],
  [
    /"(?:iommu_group|reset_mechanism_defined|controller_type|vm_pci_slot|available_to_host)"\s{0,8}:/,
    'the list of TrueNAS (midclt call …)',
    lspci,
  ],
  [
    /^[\s>-]{0,40}iommugroup: /m,
    'the YAML of Proxmox (pvesh)',
    'pvesh get /nodes/NODE/hardware/pci --output-format json, and: sudo lspci -nnk',
  ],
  [/\bpptdev_choices\b|\bpassthrough_device_choices\b|\bmidclt\b/, 'the output of midclt (TrueNAS)', lspci],
  [
    /^[\s>]{0,40}(?:System|Motherboard|CPU \(|GPUs?|NICs?|Disks?|PCI devices):\s*$[\s\S]{0,4000}^[\s>]{0,40}(?:PCI address|Address|Product ID|Vendor|Architecture):/m,
    'the output of incus info --resources (or lxc info --resources)',
    lspci,
  ],
  [
    /^[\s>]{0,40}PCI address: [0-9a-f]{4,8}:/m,
    'the output of incus info --resources (or lxc info --resources)',
    lspci,
  ],
  [/"pci_address"\s{0,8}:|"usb_address"\s{0,8}:/, 'the resources of Incus or LXD as JSON', lspci],
  [
    /^[\s>]{0,40}bus info: pci@|^[\s>]{0,40}\*-\w+/m,
    'the text of lshw',
    'sudo lshw -json -numeric, or: sudo lspci -nnk',
  ],
  [/^pci@[0-9a-f]{4,8}:/m, 'the table of lshw -businfo', 'sudo lshw -json -numeric, or: sudo lspci -nnk'],
  [
    /<hostdev\b|<domain\b[^>]{0,200}\btype=/,
    'a domain of libvirt (virsh dumpxml)',
    'virsh nodedev-dumpxml for each device, or: sudo lspci -nnk',
  ],
  [
    /<capability\b|<device>/,
    'a part of a nodedev dump of libvirt that breaks off',
    'virsh nodedev-dumpxml DEVICE, and give the whole of it',
  ],
  [
    /^[\s>]{0,40}pci_[0-9a-f]{4}_[0-9a-f]{2}_[0-9a-f]{2}_[0-7]\s*$/m,
    'the names that virsh nodedev-list prints',
    'virsh nodedev-dumpxml for each of them',
  ],
  [
    /^[\s>]{0,40}hostpci\d{1,2}: /m,
    'the configuration of a VM of Proxmox',
    'pvesh get /nodes/NODE/hardware/pci, and: sudo lspci -nnk',
  ],
  [
    /^[\s>]{0,40}\w{1,20}@pci\d{1,3}:\d{1,3}:\d{1,3}:\d:/m,
    'the output of pciconf (FreeBSD)',
    'sudo lspci -nnk on the Linux host',
  ],
  [/^[\s>]{0,40}Bus \d{3} Device \d{3}: ID /m, 'the output of lsusb', lspci],
  [
    /^[\s>]{0,40}(?:Audio|Graphics|Network|Drives|Machine):\s{1,8}(?:Device-\d|Local Storage|Type:)/m,
    'the report of inxi',
    lspci,
  ],
]

export function namedForm(text: string): NamedForm | undefined {
  const head = text.slice(0, 200_000)
  const found = forms.find(([mark]) => mark.test(head))
  return found && { name: found[1], run: found[2] }
}
