/**
 * Reads the evidence of how the machine boots: which paths exist, what the boot loader reports, where GRUB's
 * environment block is. boot/situation.ts decides what follows from it.
 */
import { defined } from '../../base/defined.ts'
import { parseGrubEnvironment } from '../../boot/loaders/grub-environment.ts'
import { isOwnText } from '../../boot/own-file.ts'
import { findBootEntry, startedImage } from '../../boot/loaders/grub-menu.ts'
import { trialEntryName } from '../../boot/trial/trial.ts'
import { trialImageName } from '../../boot/trial/trial.ts'
import { trialId, trialResultPath } from '../../boot/trial/trial.ts'
import type { Reader } from '../../machine/system.ts'
import type { BootFacts } from '../boot-facts.ts'
import { readEntryImages, isLoaderVariableReadable, readLoaderVariable } from './read-entries.ts'
import { readUnified } from './read-unified.ts'
import { bootPaths } from '../../boot/boot-paths.ts'

export function readBoot(reader: Reader): BootFacts {
  const present = bootPaths.filter((path) => reader.stat(path).ok)
  const names = reader.list('/boot')
  const loader = readLoaderVariable(reader, 'LoaderInfo')
  const stub = readLoaderVariable(reader, 'StubInfo')
  const grub = readGrubFilesystem(reader)
  const result = reader.readText(trialResultPath, 4096)
  return {
    efi: present.includes('/sys/firmware/efi'),
    ...defined({ loaderInfo: loader, stubInfo: stub }),
    present,
    bootNames: names.ok ? names.value.slice(0, 1000) : [],
    ...defined({ grubFilesystem: grub }),
    ...readGrubEntry(reader),
    ...readKernelOptions(reader),
    ...readEnvironmentPath(reader),
    ...readEntryImages(reader),
    ...readUnified(reader),
    ...(result.ok ? { trialResult: result.value.trim() } : {}),
    ...readOneShot(reader, loader),
  }
}

const trialNames = new Set([trialEntryName, trialImageName])

/** Whether the boot loader will start the trial next. Unknown if its one-shot choice cannot be read. */
function readOneShot(reader: Reader, loader: string | undefined): Pick<BootFacts, 'trialIsNext'> {
  if (loader?.startsWith('systemd-boot') && !isLoaderVariableReadable(reader, 'LoaderEntryOneShot')) return {}
  if (loader?.startsWith('systemd-boot'))
    return { trialIsNext: trialNames.has(readLoaderVariable(reader, 'LoaderEntryOneShot') ?? '') }
  for (const folder of ['/boot/grub2', '/boot/grub']) {
    const memory = reader.readText(`${folder}/grubenv`, 65_536)
    if (memory.ok) return { trialIsNext: new RegExp(`^next_entry=${trialId}\\s*$`, 'm').test(memory.value) }
  }
  return {}
}

function readGrubEntry(reader: Reader): Pick<BootFacts, 'grubEntry' | 'grubReadsCustom' | 'grubCustom'> {
  const folder = reader.stat('/boot/grub2/grub.cfg').ok ? '/boot/grub2' : '/boot/grub'
  const config = reader.readText(`${folder}/grub.cfg`, 4 << 20)
  if (!config.ok) return {}
  const cmdline = reader.readText('/proc/cmdline', 65_536)
  const entry = findBootEntry(config.value, cmdline.ok ? startedImage(cmdline.value) : undefined)
  const custom = reader.readText(`${folder}/custom.cfg`, 65_536)
  const isOurs = custom.ok && isOwnText(custom.value)
  return {
    grubReadsCustom: /\bcustom\.cfg\b/.test(config.value),
    ...defined({ grubEntry: entry }),
    ...(custom.ok ? { grubCustom: isOurs ? custom.value : null } : {}),
  }
}

function readEnvironmentPath(reader: Reader): Pick<BootFacts, 'grubEnvironmentPath'> {
  for (const path of ['/boot/grub2/grubenv', '/boot/grub/grubenv']) {
    if (!reader.readLink(path).ok) continue
    const real = reader.realPath(path)
    if (real.ok) return { grubEnvironmentPath: real.value }
  }
  return {}
}

function readKernelOptions(reader: Reader): Pick<BootFacts, 'kernelOptions'> {
  const block = reader.readText('/boot/grub2/grubenv', 65_536)
  const kernelOptions = block.ok ? parseGrubEnvironment(block.value)['kernelopts'] : undefined
  return kernelOptions === undefined ? {} : { kernelOptions }
}

/** The mount with the longest mount point above the folder, from /proc/self/mountinfo. */
function readGrubFilesystem(reader: Reader): BootFacts['grubFilesystem'] {
  const mounts = reader.readText('/proc/self/mountinfo', 4 << 20)
  if (!mounts.ok) return undefined
  const folder = reader.stat('/boot/grub2').ok ? '/boot/grub2' : '/boot/grub'
  let best: { point: string; type: string; device: string } | undefined
  for (const line of mounts.value.split('\n')) {
    const [left, right] = line.split(' - ')
    const point = left?.split(' ')[4]
    const [type, device] = right?.split(' ') ?? []
    if (point === undefined || type === undefined || device === undefined) continue
    const isAbove = point === '/' || folder === point || folder.startsWith(`${point}/`)
    if (isAbove && point.length >= (best?.point.length ?? 0)) best = { point, type, device }
  }
  return best && { type: best.type, device: best.device }
}
