/** The three ways to the same disk, measured: what the lab asks, and how its answers are read. */
import { AppError } from '../base/errors.ts'
import type { CommandResult, LabHost } from './lab-host.ts'
import type { Measurement } from './result.ts'

const guestSeconds = 90
const mostTries = 3
/** What a shell says of a command that SIGKILL ended: 128 + 9. */
const killed = 137

/**
 * Starts a guest whose virtio disk is the disk with this serial, and reads what it measured. About 12 s under
 * software emulation. A guest under KVM inside software emulation can hang in its first instructions. That
 * says nothing about the disk, so such a guest is reported with `say`, ended, and started again. A guest that
 * ends by itself without figures is an `AppError` at once.
 */
export async function measureVirtio(
  host: Pick<LabHost, 'run'>,
  serial: string,
  say: (text: string) => void,
): Promise<Measurement> {
  const disk = (await host.run(`/lib/lab/measure.sh ${serial} 1 name`)).lines.join('').trim()
  const command = `timeout -s KILL ${guestSeconds} ${guestCommand(disk)}`
  for (let tried = 1; ; tried++) {
    const said = await host.run(command, { timeoutSeconds: guestSeconds + 60 })
    if (said.status !== killed || tried === mostTries) return measurement('virtio', said)
    say(`the measuring guest hung for ${guestSeconds} s; it is started again`)
  }
}

function guestCommand(disk: string): string {
  const kernelArguments =
    'console=ttyS0 quiet mitigations=off cryptomgr.notests guest.role=bench guest.blocks=1000'
  return [
    'qemu-system-x86_64 -nodefaults -no-user-config -display none -vga none -no-reboot',
    '-machine q35 -accel kvm -accel tcg -cpu max -m 160 -serial stdio',
    `-kernel /guests/vmlinux -initrd /guests/guest.cpio -append "${kernelArguments}"`,
    `-drive if=none,id=d,format=raw,cache=none,readonly=on,file=${disk} -device virtio-blk-pci,drive=d`,
  ].join(' ')
}

/** Reads a line `measure [DISK] BYTES SECONDS`; an `AppError` with the last words where there is none. */
export function measurement(way: Measurement['way'], said: CommandResult): Measurement {
  const found = figures(said)
  if (found) return { way, ...found }
  throw new AppError(`the measurement «${way}» gave no figures`, { help: said.lines.slice(-5).join('\n') })
}

function figures(said: CommandResult): { readonly bytes: number; readonly seconds: number } | undefined {
  for (const line of said.lines) {
    const match = /measure (?:\w+ )?(\d+) ([\d.]+)/.exec(line)
    if (match) return { bytes: Number(match[1]), seconds: Number(match[2]) }
  }
  return undefined
}
