/** Block devices as sysfs shows them, for trees that a test writes out in full. */
import { pci, type TreeEntries } from './sysfs-tree.ts'

/** The entries that every block device has. */
export function blockEntry(name: string, number: string, place: string): TreeEntries {
  return {
    [`/sys/devices/${place}/size`]: '4096\n',
    [`/sys/class/block/${name}`]: `-> ../../devices/${place}`,
    [`/sys/dev/block/${number}`]: `-> ../../devices/${place}`,
    [`/dev/${name}`]: '',
  }
}

/** A disk below a function, `parts` are the numbers of its partitions; minors follow the number. */
export function diskEntries(
  below: string,
  name: string,
  minor: number,
  parts: readonly number[] = [],
): TreeEntries {
  const place = `${below}/host${minor}/target${minor}:0:0/${minor}:0:0:0/block/${name}`
  const partitions = parts.map((part) => ({
    [`/sys/devices/${place}/${name}${part}/partition`]: `${part}\n`,
    ...blockEntry(`${name}${part}`, `8:${minor + part}`, `${place}/${name}${part}`),
  }))
  return Object.assign(
    { [`/sys/block/${name}`]: `-> ../devices/${place}` },
    blockEntry(name, `8:${minor}`, place),
    ...partitions,
  ) as TreeEntries
}

/** A device of dm, md, loop or another driver without hardware, on top of others. */
export function madeEntries(
  name: string,
  number: string,
  files: Readonly<Record<string, string>>,
  slaves: readonly string[] = [],
): TreeEntries {
  const place = `virtual/block/${name}`
  return {
    [`/sys/block/${name}`]: `-> ../devices/${place}`,
    ...blockEntry(name, number, place),
    ...Object.fromEntries(
      Object.entries(files).map(([file, text]) => [`/sys/devices/${place}/${file}`, text]),
    ),
    ...Object.fromEntries(
      slaves.map((slave) => [
        `/sys/devices/${place}/slaves/${slave}`,
        `-> ../../../../../class/block/${slave}`,
      ]),
    ),
  }
}

/** What udev knows of a device. */
export function udevEntry(number: string, ...lines: readonly string[]): TreeEntries {
  return { [`/run/udev/data/b${number}`]: ['I:1', ...lines, ''].join('\n') }
}

/** Two controllers of different kinds, each with a disk of two partitions: sda and sdf. */
export const twoControllers = {
  left: 'pci0000:00/0000:00:11.5',
  right: 'pci0000:00/0000:00:1b.4/0000:0a:00.0',
  addresses: ['0000:00:11.5', '0000:0a:00.0'],
} as const

export function twoControllerEntries(): TreeEntries {
  const { left, right } = twoControllers
  return {
    ...pci({ at: left, classCode: '010601', driver: 'ahci', group: 3 }),
    ...pci({ at: right, classCode: '010700', driver: 'mpt3sas', group: 9 }),
    ...diskEntries(left, 'sda', 0, [1, 2]),
    ...diskEntries(right, 'sdf', 80, [1, 2]),
  }
}
