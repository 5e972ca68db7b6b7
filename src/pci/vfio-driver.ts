/**
 * Drivers that keep a function for virtual machines: `vfio-pci`, and the variants that makers add
 * (drivers/vfio/pci/ of the kernel: `mlx5_vfio_pci`, `xe-vfio-pci`, `hisi-acc-vfio-pci`). All of them end in
 * the same two words.
 */
export function isVfioDriver(driver: string | null | undefined): boolean {
  return typeof driver === 'string' && /(?:^|[-_])vfio[-_]pci$/.test(driver)
}

/**
 * Drivers that leave their device's DMA to whoever holds the group (`driver_managed_dma`,
 * drivers/pci/pci-driver.c).
 */
export function leavesDmaAlone(driver: string): boolean {
  return isVfioDriver(driver) || stubs.has(driver)
}

const stubs: ReadonlySet<string> = new Set(['pci-stub', 'pcieport', 'shpchp'])
