/**
 * Writes a recorded device as a line for the scripts that run at boot. assets/boot/identity.sh finds the
 * device by its place and compares it with the line.
 *
 * The line has path, vendor, device, subsystem vendor, subsystem device and serial number; `-` means "not
 * recorded". The script reads them into $path, $vendor, $device, $subvendor, $subdevice and $dsn.
 */
import type { Identity } from '../pci/identity.ts'

export function formatIdentity(identity: Identity): string {
  return [
    identity.path ?? '-',
    identity.vendorId ?? '-',
    identity.deviceId ?? '-',
    identity.subsystemVendorId ?? '-',
    identity.subsystemId ?? '-',
    identity.deviceSerialNumber ?? '-',
  ].join(' ')
}
