/** vfio-pci does not take a physical function while virtual functions exist (EBUSY). */
import { nothing, type Check } from '../check.ts'

export const checkSriov: Check = (device) => {
  if (!device.sriov || device.sriov.numVfs === 0) return nothing
  return [
    {
      code: 'sriov-active',
      severity: 'warning',
      message: `${device.address} has ${device.sriov.numVfs} virtual functions in use; vfio-pci refuses it while they exist`,
      help: `give its virtual functions away instead, or remove them: echo 0 > /sys/bus/pci/devices/${device.address}/sriov_numvfs`,
      about: [device.address],
    },
  ]
}
