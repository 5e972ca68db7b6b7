/**
 * Which kernel module files a small system needs, and in which order to load them: read from the text of
 * modules.dep (modules.dep(5): `path: dependency dependency …`, dependencies of dependencies included,
 * nearest first).
 */

/**
 * Paths relative to /lib/modules/VERSION, dependencies first. Names unknown to the kernel (built in, or not
 * built) are left out.
 */
export function loadOrder(modulesDep: string, wanted: readonly string[]): string[] {
  const byName = new Map<string, { path: string; dependencies: string[] }>()
  for (const line of modulesDep.split('\n')) {
    const [path, rest] = line.split(':')
    if (!path || rest === undefined) continue
    byName.set(moduleName(path), { path, dependencies: rest.trim().split(/\s+/).filter(Boolean) })
  }
  const order: string[] = []
  const add = (path: string) => {
    if (!order.includes(path)) order.push(path)
  }
  for (const name of wanted) {
    const found = byName.get(moduleName(name))
    if (!found) continue
    for (const dependency of found.dependencies.toReversed()) add(dependency)
    add(found.path)
  }
  return order
}

/**
 * `kernel/drivers/vfio/pci/vfio-pci.ko` and `vfio-pci` are `vfio_pci`: the kernel treats `-` and `_` alike.
 */
export function moduleName(path: string): string {
  return (path.split('/').at(-1) ?? path).replace(/\.ko(\.\w+)?$/, '').replaceAll('-', '_')
}
