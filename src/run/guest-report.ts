/**
 * The report line: a virtio-serial port on which a guest says what it sees. One word out, lines in, `end`
 * (docs/lab.md). Everything that comes from a guest may be wrong or hostile: lengths and counts are capped,
 * and nothing is trusted to be true.
 */
import { defined } from '../base/defined.ts'
import { AppError } from '../base/errors.ts'
import type { Connection } from '../machine/system.ts'

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
/** A report has some lines for each device; more are no report. */
const mostLines = 20_000
const greeting = 'handover 1'

/**
 * Asks one word on the guest's report line, and closes it; the lines of the answer. Throws AppError when no
 * guest answers in time, or says more than a report. Each byte is looked at once, so a guest that sends
 * single bytes costs no more.
 */
export async function askGuest(line: Connection, word: string, timeoutSeconds: number): Promise<string[]> {
  try {
    return await new Promise<string[]>((resolve, reject) => {
      const answer = collectAnswer(word, (text) => line.write(text))
      const timer = setTimeout(() => {
        const isSilent = answer.received() === 0
        reject(
          new AppError(
            isSilent ? 'the guest says nothing on its report line' : 'the guest did not finish its report',
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
        if (lines === 'too much') finish(() => reject(new AppError('the guest says far more than a report')))
        else if (lines !== undefined) finish(() => resolve(lines))
      })
    })
  } finally {
    line.close()
  }
}

/** Cuts what comes into lines, waits for the greeting, asks, and gives the lines before `end`. */
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
