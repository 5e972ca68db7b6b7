/**
 * Finds the disks that the kernel exports to other machines or to guests: targets of LIO and SCST (iSCSI,
 * Fibre Channel, vhost) and of NVMe. Such a use has no entry under `holders/` and no open file of a process.
 */
import { textOf, type Reading } from '../../read/reading.ts'
import { namesInSource } from '../sources.ts'

export type Export = {
  readonly what: string
  /** Device file or plain file. Absent: not stated. */
  readonly path?: string
  /** `8:16`, if the target states the number instead of the path. */
  readonly number?: string
}

export function readExports(reading: Reading): Export[] {
  return [...readTargets(reading), ...readNvmeTargets(reading), ...readScst(reading)]
}

const cores = '/sys/kernel/config/target/core'

/**
 * A backstore `iblock_0/archive` with `enable` 1 has its device open (drivers/target/target_core_iblock.c).
 */
function readTargets(reading: Reading): Export[] {
  return namesInSource(reading, cores).flatMap((core): Export[] => {
    if (!/^(?:iblock|pscsi|fileio)_\d+$/.test(core)) return []
    return namesInSource(reading, `${cores}/${core}`).flatMap((name): Export[] => {
      const folder = `${cores}/${core}/${name}`
      const enable = textOf(reading, `${folder}/enable`)
      const path = textOf(reading, `${folder}/udev_path`)
      // Other entries beside the backstores (hba_info, hba_mode) are files. A backstore that cannot be read
      // may be on.
      const isBackstore = ['enable', 'udev_path'].some((file) => isThere(reading, `${folder}/${file}`))
      if (!isBackstore || enable === '0') return []
      const what = `export ${name} of the kernel's target (LIO)`
      if (path?.startsWith('/') === true) return [{ what, path }]
      const [, major, minor] =
        /Major:\s*(\d+)\s+Minor:\s*(\d+)/.exec(textOf(reading, `${folder}/info`) ?? '') ?? []
      return [{ what, ...(major === undefined ? {} : { number: `${major}:${minor ?? ''}` }) }]
    })
  })
}

function isThere(reading: Reading, path: string): boolean {
  const text = reading.system.readText(path)
  return text.ok || text.reason === 'unreadable' || text.reason === 'too-large'
}

/** Documentation/nvme: `subsystems/NQN/namespaces/1/device_path`. */
function readNvmeTargets(reading: Reading): Export[] {
  const folder = '/sys/kernel/config/nvmet/subsystems'
  return namesInSource(reading, folder).flatMap((name) =>
    namesInSource(reading, `${folder}/${name}/namespaces`).flatMap((id): Export[] => {
      const place = `${folder}/${name}/namespaces/${id}`
      if (textOf(reading, `${place}/enable`) === '0') return []
      const path = textOf(reading, `${place}/device_path`)
      const what = `NVMe export ${name}`
      return [path?.startsWith('/') === true ? { what, path } : { what }]
    }),
  )
}

/**
 * SCST: the first line of `filename` is the device or file. A device that is passed through has no such file,
 * and nothing says which disk it is.
 */
function readScst(reading: Reading): Export[] {
  const folder = '/sys/kernel/scst_tgt/devices'
  return namesInSource(reading, folder).flatMap((name): Export[] => {
    const path = textOf(reading, `${folder}/${name}/filename`)?.split('\n')[0]
    const what = `export ${name} of SCST`
    return [path?.startsWith('/') === true ? { what, path } : { what }]
  })
}
