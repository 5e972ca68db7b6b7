/**
 * What the physical function's driver holds for one of its virtual functions. No file in sysfs has it: it
 * goes over netlink (IFLA_VFINFO_LIST), read as `ip -json link show dev PORT` prints it (iproute2
 * ip/ipaddress.c, print_vfinfo) and set by `ip link set dev PORT vf N …` (ip-link(8)).
 */

/** Absent: not stated by the driver, or not asked for. */
export type VirtualFunctionSettings = {
  readonly mac?: string
  /** 0 is none. */
  readonly vlan?: number
  readonly trust?: boolean
  readonly spoofCheck?: boolean
}

export const settingKeys = ['mac', 'vlan', 'trust', 'spoofCheck'] as const

/**
 * By number; undefined when the text is not what `ip` prints. A driver that states nothing leaves an empty
 * map.
 */
export function parseVirtualFunctions(
  json: string,
): ReadonlyMap<number, VirtualFunctionSettings> | undefined {
  let links: unknown
  try {
    links = JSON.parse(json)
  } catch {
    // An old `ip` without -json, or none of its output: the caller says that it cannot be read.
    return undefined
  }
  const [link] = Array.isArray(links) ? (links as unknown[]) : []
  if (typeof link !== 'object' || link === null) return undefined
  const list = (link as { vfinfo_list?: unknown }).vfinfo_list
  const found = new Map<number, VirtualFunctionSettings>()
  for (const one of Array.isArray(list) ? (list as Record<string, unknown>[]) : []) {
    if (typeof one !== 'object' || one === null || typeof one['vf'] !== 'number') continue
    found.set(one['vf'], settingsFrom(one))
  }
  return found
}

/** `mac` up to iproute2 4.20, `address` since; the VLAN alone, or first of a list. */
function settingsFrom(info: Record<string, unknown>): VirtualFunctionSettings {
  const mac = info['address'] ?? info['mac']
  const [first] = Array.isArray(info['vlan_list']) ? (info['vlan_list'] as unknown[]) : []
  const vlan = (first as { vlan?: unknown } | undefined)?.vlan ?? info['vlan'] ?? 0
  return {
    ...(typeof mac === 'string' ? { mac: mac.toLowerCase() } : {}),
    ...(typeof vlan === 'number' ? { vlan } : {}),
    ...(typeof info['trust'] === 'boolean' ? { trust: info['trust'] } : {}),
    ...(typeof info['spoofchk'] === 'boolean' ? { spoofCheck: info['spoofchk'] } : {}),
  }
}

/** Words for `ip link set dev PORT vf N`, only of what is given. */
export function settingWords({ mac, vlan, trust, spoofCheck }: VirtualFunctionSettings): string[] {
  const onOff = (value: boolean) => (value ? 'on' : 'off')
  return [
    ...(mac === undefined ? [] : ['mac', mac]),
    ...(vlan === undefined ? [] : ['vlan', String(vlan)]),
    ...(spoofCheck === undefined ? [] : ['spoofchk', onOff(spoofCheck)]),
    ...(trust === undefined ? [] : ['trust', onOff(trust)]),
  ]
}

/** What `wanted` speaks of, as `is` has it. */
export function pickSettings(
  is: VirtualFunctionSettings,
  wanted: VirtualFunctionSettings,
): VirtualFunctionSettings {
  return Object.fromEntries(settingKeys.flatMap((key) => (wanted[key] === undefined ? [] : [[key, is[key]]])))
}

export function isSameSetting(a: VirtualFunctionSettings, b: VirtualFunctionSettings): boolean {
  return settingKeys.every((key) => a[key] === b[key])
}
