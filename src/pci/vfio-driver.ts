/**
 * Drivers that keep a function for virtual machines: `vfio-pci`, and the variants that makers add (drivers/vfio/pci/ of the
 * kernel: `mlx5_vfio_pci`, `xe-vfio-pci`, `hisi-acc-vfio-pci`). All of them end in the same two words.
 */
export function isVfioDriver(driver: string | null | undefined): boolean {
  return typeof driver === 'string' && /(?:^|[-_])vfio[-_]pci$/.test(driver)
}
