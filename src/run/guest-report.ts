/**
 * The report line is a virtio-serial port on which a guest reports its devices: the host sends one word, and
 * the guest answers with lines, the last of which is `end` (docs/lab.md). A guest may be hostile, so the
 * length and the number of lines are limited, and no line is trusted.
 */
import { defined } from '../base/defined.ts'
import { AppError } from '../base/errors.ts'
import type { Connection } from '../machine/system.ts'

export type GuestDisk = { readonly name: string; readonly serial: string; readonly sizeBytes: number }

export type GuestDevice = {
  /** The address in the guest. */
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
  /** All other lines: `lease wan …`, `mounted MEDIA-1 sda`. */
  readonly facts: readonly string[]
  /** All lines, without control characters. */
  readonly lines: readonly string[]
}

const mostBytes = 256 * 1024
/** A report has a few lines for each device. */
const mostLines = 20_000
const greeting = 'handover 1'

/**
 * Sends one word on the report line, returns the lines of the answer, and closes the line. Throws AppError
 * when the guest does not answer in time, or sends too much. Each byte is read once, so a guest that sends
 * single bytes does not slow this down.
 */
export async function askGuest(line: Connection, word: string, timeoutSeconds: number): Promise<string[]> {
  try {
    return await new Promise<string[]>((resolve, reject) => {
      const answer = collectAnswer(word, (text) => line.write(text))
      const timer = setTimeout(() => {
        const isSilent = answer.received() === 0
        reject(
          new AppError(
            isSilent ? 'the guest sends nothing on its report line' : 'the guest did not finish its report',
          ),
        )
      }, timeoutSeconds * 1000)
      const finish = (act: () => void) => {
        clearTimeout(timer)
        act()
      }
      line.onClose(() => finish(() => reject(new AppError('the VM closed its report line'))))
      line.onText((chunk) => {
        const lines = answer.take(chunk)
        if (lines === 'too much') finish(() => reject(new AppError('the guest sends far more than a report')))
        else if (lines !== undefined) finish(() => resolve(lines))
      })
    })
  } finally {
    line.close()
  }
}

/**
 * Splits the input into lines, waits for the greeting, sends the word, and returns the lines before `end`.
 */
function collectAnswer(word: string, ask: (text: string) => void) {
  let bytes = 0
  let count = 0
  let begun: string[] = []
  let lines: string[] | undefined
  const takeLine = (line: string): string[] | undefined => {
    if (lines === undefined) {
      if (line !== greeting) return undefined
      lines = []
      if (word === '') return lines
      ask(`${word}\n`)
      return undefined
    }
    if (line === 'end') return lines
    lines.push(line)
    return undefined
  }
  return {
    received: () => bytes,
    take: (chunk: string): string[] | 'too much' | undefined => {
      bytes += chunk.length
      const parts = chunk.split('\n')
      count += parts.length - 1
      if (bytes > mostBytes || count > mostLines) return 'too much'
      for (const [index, part] of parts.entries()) {
        begun.push(part)
        if (index === parts.length - 1) break
        const answer = takeLine(begun.join('').replace(/\r$/, ''))
        begun = []
        if (answer !== undefined) return answer
      }
      return undefined
    },
  }
}

export async function readGuestReport(line: Connection, timeoutSeconds: number): Promise<GuestReport> {
  return parseGuestReport(await askGuest(line, 'report', timeoutSeconds))
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
