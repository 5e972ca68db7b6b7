/**
 * The report line: a virtio-serial port on which a guest says what it sees. One word out, lines in, `end` (docs/lab.md).
 * Everything that comes from a guest may be wrong or hostile: lengths and counts are capped, and nothing is trusted to be true.
 */
import { defined } from '../base/defined.ts'
import { AppError } from '../base/errors.ts'
import type { System } from '../machine/system.ts'

export type GuestDisk = { readonly name: string; readonly serial: string; readonly sizeBytes: number }

export type GuestDevice = {
  /** The guest's own address for it. */
  readonly address: string
  readonly vendorId: string
  readonly deviceId: string
  readonly classCode: string
  readonly driver?: string
  readonly interface?: string
  readonly mac?: string
  readonly link?: boolean
  readonly disks: readonly GuestDisk[]
}

export type GuestReport = {
  readonly system?: string
  readonly devices: readonly GuestDevice[]
  /** `eth0` → `192.168.77.1/24`. */
  readonly addresses: readonly { readonly interface: string; readonly address: string }[]
  /** Lines of any other kind, as said: `lease wan …`, `mounted MEDIA-1 sda`. */
  readonly facts: readonly string[]
  /** Everything as it came. */
  readonly lines: readonly string[]
}

const mostBytes = 256 * 1024
const greeting = 'handover 1'

/** Asks one word on the guest's report line; the lines of the answer. Throws AppError when no guest answers in time. */
export async function askGuest(
  system: System,
  socket: string,
  word: string,
  timeoutSeconds: number,
): Promise<string[]> {
  const connection = await system.connect(socket)
  let text = ''
  let asked = false
  try {
    return await new Promise<string[]>((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(
          new AppError(
            text === '' ? 'the guest says nothing on its report line' : 'the guest did not finish its report',
          ),
        )
      }, timeoutSeconds * 1000)
      const finish = (act: () => void) => {
        clearTimeout(timer)
        act()
      }
      connection.onClose(() => finish(() => reject(new AppError('the VM closed its report line'))))
      connection.onText((chunk) => {
        text += chunk
        if (text.length > mostBytes) return finish(() => reject(new AppError('the guest says far more than a report')))
        const lines = text.split('\n').map((line) => line.replace(/\r$/, ''))
        if (!asked && lines.slice(0, -1).includes(greeting)) {
          asked = true
          text = ''
          if (word === '') return finish(() => resolve([]))
          connection.write(`${word}\n`)
          return undefined
        }
        const end = lines.slice(0, -1).indexOf('end')
        if (asked && end >= 0) return finish(() => resolve(lines.slice(0, end)))
        return undefined
      })
    })
  } finally {
    connection.close()
  }
}

export async function readGuestReport(system: System, socket: string, timeoutSeconds: number): Promise<GuestReport> {
  return parseGuestReport(await askGuest(system, socket, 'report', timeoutSeconds))
}

export function parseGuestReport(said: readonly string[]): GuestReport {
  const lines = said.slice(0, 2000).map((line) => line.slice(0, 2000).replaceAll(/[^\x20-\x7e]/g, '?'))
  const devices: GuestDevice[] = []
  const addresses: { interface: string; address: string }[] = []
  const facts: string[] = []
  let systemName: string | undefined
  for (const line of lines) {
    const [kind, ...words] = line.split(' ')
    if (kind === 'system') systemName = words.join(' ')
    else if (kind === 'device') devices.push(parseDevice(words))
    else if (kind === 'address') addresses.push({ interface: words[0] ?? '', address: words[1] ?? '' })
    else if (line !== '') facts.push(line)
  }
  return { ...defined({ system: systemName }), devices, addresses, facts, lines }
}

function parseDevice([address = '', ...words]: readonly string[]): GuestDevice {
  const value = (key: string) => words.find((word) => word.startsWith(`${key}=`))?.slice(key.length + 1)
  const disks = words.flatMap((word) => {
    const match = /^disk=([^:]*):(.*):(\d{1,19})$/.exec(word)
    return match ? [{ name: match[1] ?? '', serial: match[2] ?? '', sizeBytes: Number(match[3]) }] : []
  })
  const [driver, name, mac, link] = [value('driver'), value('interface'), value('mac'), value('link')]
  return {
    address,
    vendorId: value('vendor') ?? '',
    deviceId: value('device') ?? '',
    classCode: value('class') ?? '',
    ...defined({ driver, interface: name, mac }),
    ...(link === undefined ? {} : { link: link === '1' }),
    disks,
  }
}
