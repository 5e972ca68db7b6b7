/**
 * Recorded devices as lines for the scripts that touch a device at boot. assets/boot/identity.sh finds a
 * device by its place and compares it with the recorded one.
 *
 * A recorded device is one line: path, vendor, device, subsystem vendor, subsystem device, serial number; `-`
 * is "not recorded", and nothing is found at such a place. The script reads it into variables of these names
 * ($path, $vendor, $device, $subvendor, $subdevice, $dsn).
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
