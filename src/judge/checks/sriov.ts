/**
 * Virtual functions exist while the host drives their physical one: vfio-pci takes no physical function that
 * has any (`vfio_pci_core_register_device`, EBUSY; drivers/vfio/pci/vfio_pci_core.c), and a group goes as a
 * whole.
 */
import { nothing, type Check } from '../check.ts'
import { says } from '../reasons.ts'

export const checkSriov: Check = (device, view) => {
  const { address, physFn, sriov } = device
  const group = view.groupOf(device)
  if (physFn !== undefined && group?.devices.includes(physFn))
    return [
      {
        code: 'group-not-viable',
        severity: 'error',
        ...says(
          address,
          `shares IOMMU group ${group.id} with ${physFn}, its physical function, which has to stay for ` +
            'it to exist',
        ),
        help: 'put the card into a slot with ACS, or give the whole card away without virtual functions',
        about: [address, physFn],
      },
    ]
  if (!sriov || sriov.numVfs === 0) return nothing
  return [
    {
      code: 'sriov-active',
      severity: 'warning',
      ...says(address, `has ${sriov.numVfs} virtual functions in use; vfio-pci refuses it while they exist`),
      help:
        'give its virtual functions away instead, or remove them: echo 0 > ' +
        `/sys/bus/pci/devices/${address}/sriov_numvfs`,
      about: [address],
    },
  ]
}
