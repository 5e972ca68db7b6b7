/**
 * Finds file systems and disks on the network. Each has what shows the route to its server: an address of the
 * server or of this host, an interface, or the function that carries them. The name of a server is looked up
 * in /etc/hosts only.
 */
import { defined } from '../../../base/defined.ts'
import type { PciAddress } from '../../../pci/address.ts'
import { ownerOf } from '../../read/read-attached.ts'
import { linkOf, namesIn, textOf, type Reading } from '../../read/reading.ts'
import { readMounts } from '../disks/mounts.ts'
import { addressBytes } from './routes.ts'

export type RemoteStorage = {
  readonly what: string
  readonly mountPoint?: string
  readonly servers?: readonly string[]
  readonly ownAddresses?: readonly string[]
  readonly interfaces?: readonly string[]
  readonly functions?: readonly { readonly chain: readonly string[]; readonly device: PciAddress }[]
  /** Present if none of the above is known: the name that could not be followed further. */
  readonly lost?: string
}

export function readRemoteStorage(reading: Reading): RemoteStorage[] {
  return [
    ...remoteMounts(reading),
    ...iscsiConnections(reading),
    ...nvmeControllers(reading),
    ...firmwareBoot(reading),
    ...cephDisks(reading),
    ...drbdPeers(reading),
    ...glusterPeers(reading),
    ...networkBlockDevices(reading),
  ]
}

/** File system types whose server is followed. Their content is on no disk of this host. */
export const remoteTypes =
  /^(?:nfs4?|cifs|smb3|smbfs|ceph|afs|9p|lustre|beegfs|orangefs|pvfs2|coda|ncpfs|glusterfs|davfs|gpfs|panfs|fuse\.(?:glusterfs|sshfs|ceph|ceph-fuse|s3fs|rclone|davfs2?|mfs|moosefs|lizardfs|juicefs|curlftpfs|smbnetfs|goofys|gcsfuse|nfs|seaweedfs|cvmfs2))$/

/**
 * The remote mounts of every mount namespace, since a container may have its own server. A mount that is in
 * several namespaces has the same number.
 */
function remoteMounts(reading: Reading): RemoteStorage[] {
  const { own, others } = readMounts(reading)
  const found = new Map<string, RemoteStorage>()
  for (const { type, source, options, point, number } of [
    own,
    ...others.map(({ mounts }) => mounts),
  ].flat()) {
    const isUrl = type.startsWith('fuse') && /^(?:[\w.-]+@)?[\w.-]+:\/|^\/\/|^\w+:\/\//.test(source)
    if (!remoteTypes.test(type) && !isUrl) continue
    // 9p shares a folder of the machine whose guest this host is, unless it runs over TCP.
    if (type === '9p' && !options.some((option) => /^trans=(?:tcp|rdma)$/.test(option))) continue
    const key = `${number} ${source}`
    if (!found.has(key)) found.set(key, mounted(reading, point, serversOf(source, options.join(','))))
  }
  return [...found.values()]
}

function mounted(reading: Reading, point: string, names: readonly string[]): RemoteStorage {
  const servers = names.flatMap((name) => numbersOf(reading, name))
  const unknown = names.find((name) => numbersOf(reading, name).length === 0)
  const what = `${point} (from ${listOf(servers.length > 0 ? servers : names)})`
  const lost = servers.length > 0 ? undefined : (unknown ?? point)
  return { what, mountPoint: point, servers, ...defined({ lost }) }
}

function listOf(names: readonly string[]): string {
  return names.length > 3 ? `${names.slice(0, 3).join(', ')}, …` : names.join(', ') || '?'
}

/**
 * `addr=` is the address of the kernel's connection. Ceph lists its monitors in the source or, since 5.17, in
 * `mon_addr=`.
 */
function serversOf(source: string, options: string): string[] {
  const stated = /(?:^|,)addr=([^,]+)/.exec(options)?.[1]
  if (stated !== undefined) return [stated]
  const monitors = /(?:^|,)mon_addr=([^,]+)/.exec(options)?.[1]
  if (monitors !== undefined) return monitors.split('/').map(withoutPort)
  if (source.startsWith('//')) return [source.slice(2).split('/')[0] ?? '']
  const url = /^\w+:\/\/([^/]+)/.exec(source)?.[1]
  if (url !== undefined) return [withoutPort(url.slice(url.lastIndexOf('@') + 1))]
  const path = /:\/[^:]*$/.exec(source)?.index ?? source.lastIndexOf(':')
  const hosts = path < 0 ? source : source.slice(0, path)
  return hosts
    .split(',')
    .map((host) => withoutPort(host.slice(host.lastIndexOf('@') + 1).replace(/@\w+$/, '')))
    .filter((host) => host !== '')
}

/** `10.1.1.1:6789`, `[fd00::1]:6789`, `v1:10.1.1.1:6789`, `10.1.1.1@tcp`. */
function withoutPort(text: string): string {
  const plain = text.replace(/^\[?v[12]:/, '')
  const six = /\[([0-9a-f:.]+)\]/i.exec(plain)?.[1]
  if (six !== undefined) return six
  return /^[0-9a-f]*:[0-9a-f]*:/i.test(plain) ? plain : (plain.split(/[:@\]]/)[0] ?? '')
}

/** The address itself, or the addresses that /etc/hosts gives for a name. */
export function numbersOf(reading: Reading, name: string): string[] {
  if (addressBytes(name)) return [name]
  const wanted = name.toLowerCase()
  return (textOf(reading, '/etc/hosts', 1 << 20) ?? '').split('\n').flatMap((line) => {
    const [number = '', ...names] = (line.split('#')[0] ?? '').trim().split(/\s+/)
    return names.some((one) => one.toLowerCase() === wanted) && addressBytes(number) ? [number] : []
  })
}

/**
 * A card with its own iSCSI has its SCSI host below its function. iSCSI in software names an interface at
 * most.
 */
function iscsiConnections(reading: Reading): RemoteStorage[] {
  return namesIn(reading, '/sys/class/iscsi_connection').map((connection): RemoteStorage => {
    const folder = `/sys/class/iscsi_connection/${connection}`
    const link = linkOf(reading, folder)
    const device = ownerOf(link)
    if (device !== undefined) return { what: 'iSCSI disks', functions: [{ chain: [connection], device }] }
    const server = [
      textOf(reading, `${folder}/address`),
      textOf(reading, `${folder}/persistent_address`),
    ].find(Boolean)
    const host = /\/(host\d+)\//.exec(`${link ?? ''}/`)?.[1]
    const bound = host === undefined ? undefined : textOf(reading, `/sys/class/iscsi_host/${host}/netdev`)
    const interfaces = bound && bound !== 'default' && bound !== '<NULL>' ? [bound] : []
    if (!server)
      return { what: 'iSCSI disks', interfaces, ...(interfaces.length > 0 ? {} : { lost: connection }) }
    return { what: `iSCSI disks from ${server}`, servers: [server], interfaces }
  })
}

/**
 * `address` of a controller over a fabric: `traddr=…,trsvcid=…,host_traddr=…,host_iface=…,src_addr=…`
 * (nvme/host/fabrics.c).
 */
function nvmeControllers(reading: Reading): RemoteStorage[] {
  return namesIn(reading, '/sys/class/nvme').flatMap((name): RemoteStorage[] => {
    const folder = `/sys/class/nvme/${name}`
    if (ownerOf(linkOf(reading, folder)) !== undefined) return []
    const transport = textOf(reading, `${folder}/transport`)
    const address = textOf(reading, `${folder}/address`) ?? ''
    const part = (key: string): string | undefined =>
      new RegExp(`(?:^|,)${key}=([^,\\s]+)`).exec(address)?.[1]
    if (transport === 'pcie' || transport === 'loop' || transport === 'apple-nvme') return []
    if (transport === 'fc') return [overFibreChannel(reading, name, part('host_traddr'))]
    const server = part('traddr')
    if (server === undefined) return [{ what: `NVMe disks of ${name}`, lost: name }]
    const own = [part('host_traddr'), part('src_addr')].flatMap((one) => one ?? [])
    const bound = part('host_iface')
    return [
      {
        what: `NVMe disks from ${server}`,
        servers: [server],
        ownAddresses: own,
        ...(bound === undefined ? {} : { interfaces: [bound] }),
      },
    ]
  })
}

/**
 * `nn-0x2000…:pn-0x2100…` names a port of this host. If no port has this name, any Fibre Channel port may be
 * the one.
 */
function overFibreChannel(reading: Reading, controller: string, own: string | undefined): RemoteStorage {
  const hosts = namesIn(reading, '/sys/class/fc_host').flatMap((name) => {
    const device = ownerOf(linkOf(reading, `/sys/class/fc_host/${name}`))
    const port = textOf(reading, `/sys/class/fc_host/${name}/port_name`)?.toLowerCase()
    return device === undefined ? [] : [{ chain: [controller, name], device, port }]
  })
  const port = /pn-(0x[0-9a-f]+)/i.exec(own ?? '')?.[1]?.toLowerCase()
  const same = hosts.filter((host) => host.port !== undefined && host.port === port)
  const functions = (same.length > 0 ? same : hosts).map(({ chain, device }) => ({ chain, device }))
  const what = 'NVMe disks over Fibre Channel'
  return functions.length > 0 ? { what, functions } : { what, lost: controller }
}

/**
 * The firmware loaded the system over iSCSI and left a table that names the card
 * (drivers/firmware/iscsi_ibft.c).
 */
function firmwareBoot(reading: Reading): RemoteStorage[] {
  return namesIn(reading, '/sys/firmware/ibft').flatMap((name): RemoteStorage[] => {
    if (!name.startsWith('ethernet')) return []
    const device = ownerOf(linkOf(reading, `/sys/firmware/ibft/${name}/device`))
    return device === undefined
      ? []
      : [{ what: 'the iSCSI boot of the firmware', functions: [{ chain: [name], device }] }]
  })
}

/** `client_addr` of a mapped RBD image is this host's own address: `10.1.1.7:0/123`. */
function cephDisks(reading: Reading): RemoteStorage[] {
  return namesIn(reading, '/sys/bus/rbd/devices').map((name) => {
    const own = withoutPort(textOf(reading, `/sys/bus/rbd/devices/${name}/client_addr`) ?? '')
    const what = `Ceph disk rbd${name}`
    return addressBytes(own) ? { what, ownAddresses: [own] } : { what, lost: `rbd${name}` }
  })
}

/**
 * sysfs names no peer of DRBD. Its configuration does: `address 10.1.1.31:7789;`, which also lists this
 * host's addresses.
 */
function drbdPeers(reading: Reading): RemoteStorage[] {
  if (!namesIn(reading, '/sys/block').some((name) => /^drbd\d+$/.test(name))) return []
  const files = ['/etc/drbd.conf', ...namesIn(reading, '/etc/drbd.d').map((name) => `/etc/drbd.d/${name}`)]
  const ends = new Set<string>()
  for (const file of files)
    for (const match of (textOf(reading, file) ?? '').matchAll(
      /\baddress\s+(?:ipv[46]\s+)?(\[[^\]]+\]|[^\s;:]+)/g,
    ))
      for (const number of numbersOf(reading, (match[1] ?? '').replaceAll(/[[\]]/g, ''))) ends.add(number)
  const what = 'DRBD peers'
  return [ends.size > 0 ? { what, servers: [...ends] } : { what, lost: 'drbd' }]
}

function glusterPeers(reading: Reading): RemoteStorage[] {
  return namesIn(reading, '/var/lib/glusterd/peers').map((name) => {
    const text = textOf(reading, `/var/lib/glusterd/peers/${name}`) ?? ''
    const names = [...text.matchAll(/^hostname\d*=(\S+)$/gm)].map((match) => match[1] ?? '')
    const servers = names.flatMap((one) => numbersOf(reading, one))
    const what = `GlusterFS peer ${names[0] ?? name}`
    return servers.length > 0 ? { what, servers } : { what, lost: names[0] ?? name }
  })
}

/** A connected NBD device has a `pid`. Only the command line of nbd-client names its server. */
function networkBlockDevices(reading: Reading): RemoteStorage[] {
  return namesIn(reading, '/sys/block').flatMap((name): RemoteStorage[] => {
    if (!/^nbd\d+$/.test(name)) return []
    const pid = textOf(reading, `/sys/block/${name}/pid`)
    if (pid === undefined || !/^\d+$/.test(pid)) return []
    const words = (textOf(reading, `/proc/${pid}/cmdline`) ?? '').split('\0')
    const servers = words.slice(1).flatMap((word) => numbersOf(reading, word))
    const what = `network disk ${name}`
    return [servers.length > 0 ? { what, servers } : { what, lost: name }]
  })
}
