// How long `handover inspect` takes, whole process against whole process on the same file tree: lspci -vvv, and the shell
// loop people paste (lspci -nns per device). Trees: the recorded DL360 (226 functions, needs ../shared/corpus), and
// generated ones of 512 and 4,096 functions. Prints ratios; run it on a quiet machine.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { fileURLToPath, pathToFileURL } from 'node:url'

const project = fileURLToPath(new URL('..', import.meta.url))
const cli = join(project, 'dist/handover.js')
const corpus = join(project, '../shared/corpus/snapshots/hp-dl360g9-vgpu/sysfs.tar.gz')
const work = mkdtempSync(join(tmpdir(), 'handover-bench-'))
process.on('exit', () => rmSync(work, { recursive: true, force: true }))

execFileSync(process.execPath, [join(project, 'scripts/build.mjs')], { stdio: 'inherit' })

/** A server of root ports with eight functions behind each: 4,096 bytes of configuration space with capabilities. */
function makeTree(count) {
  const root = join(work, `generated-${count}`)
  mkdirSync(join(root, 'sys/bus/pci/devices'), { recursive: true })
  mkdirSync(join(root, 'sys/bus/pci/drivers'), { recursive: true })
  const hex = (value, width) => value.toString(16).padStart(width, '0')
  let made = 0
  for (let port = 0; made < count; port++) {
    const domain = hex(Math.floor(port / 224), 4)
    const bus = (port % 224) + 1
    const bridge = `${domain}:00:${hex((port % 224) >> 3, 2)}.${port % 8}`
    addFunction(root, `pci${domain}:00/${bridge}`, { bus, group: made++, isBridge: true })
    for (let fn = 0; fn < 8 && made < count; fn++) {
      addFunction(root, `pci${domain}:00/${bridge}/${domain}:${hex(bus, 2)}:00.${fn}`, {
        bus: 0,
        group: made++,
        isBridge: false,
      })
    }
  }
  return root
}

function configSpace({ bus, isBridge }) {
  const bytes = Buffer.alloc(4096)
  bytes.writeUInt16LE(0x8086, 0)
  bytes.writeUInt16LE(isBridge ? 0x2030 : 0x1521, 2)
  bytes.writeUInt16LE(0x0010, 6)
  bytes.writeUInt32LE(isBridge ? 0x06040004 : 0x02000001, 8)
  bytes[0x0e] = isBridge ? 0x81 : 0x80
  if (isBridge) bytes.set([0, bus, bus], 0x18)
  else bytes.writeUInt32LE(0x15218086, 0x2c)
  bytes[0x34] = 0x40
  bytes.writeUInt32LE(0x00035001, 0x40) // power management, next 0x50
  bytes.writeUInt16LE(0x0008, 0x44)
  bytes.writeUInt16LE(0x6005, 0x50) // MSI, next 0x60
  bytes.writeUInt16LE(0x0010, 0x60)
  bytes.writeUInt16LE(isBridge ? 0x0142 : 0x0002, 0x62) // Express: root port or endpoint
  bytes.writeUInt32LE(isBridge ? 0 : 1 << 28, 0x64)
  bytes.writeUInt32LE(0x00000083, 0x6c)
  bytes.writeUInt16LE(0x0083, 0x72)
  bytes.writeUInt32LE(0x1401000d, 0x100) // ACS, next 0x140
  bytes.writeUInt32LE(0x001d001f, 0x104)
  bytes.writeUInt32LE(0x00010003, 0x140) // serial number
  bytes.writeUInt32LE(0x11223344, 0x144)
  bytes.writeUInt32LE(0x55667788, 0x148)
  return bytes
}

function addFunction(root, at, { bus, group, isBridge }) {
  const folder = join(root, 'sys/devices', at)
  const address = at.split('/').at(-1)
  mkdirSync(folder, { recursive: true })
  const device = isBridge ? '2030' : '1521'
  const driver = isBridge ? 'pcieport' : 'igb'
  const files = {
    vendor: '0x8086\n',
    device: `0x${device}\n`,
    class: isBridge ? '0x060400\n' : '0x020000\n',
    revision: '0x01\n',
    subsystem_vendor: '0x8086\n',
    subsystem_device: '0x1521\n',
    irq: '0\n',
    numa_node: '0\n',
    driver_override: '(null)\n',
    reset_method: 'flr bus\n',
    resource: `${['0x00000000df200000 0x00000000df2fffff 0x0000000000040200', ...Array.from({ length: 12 }, () => '0x0000000000000000 0x0000000000000000 0x0000000000000000')].join('\n')}\n`,
    uevent: `DRIVER=${driver}\nPCI_CLASS=${isBridge ? '60400' : '20000'}\nPCI_ID=8086:${device.toUpperCase()}\nPCI_SUBSYS_ID=8086:1521\nPCI_SLOT_NAME=${address}\n`,
    config: configSpace({ bus, isBridge }),
  }
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content)
  const up = '../'.repeat(at.split('/').length + 1)
  symlinkSync(`../../../devices/${at}`, join(root, 'sys/bus/pci/devices', address))
  symlinkSync(`${up}bus/pci/drivers/${driver}`, join(folder, 'driver'))
  mkdirSync(join(root, 'sys/bus/pci/drivers', driver), { recursive: true })
  const members = join(root, 'sys/kernel/iommu_groups', String(group), 'devices')
  mkdirSync(members, { recursive: true })
  symlinkSync(`../../../../devices/${at}`, join(members, address))
  symlinkSync(`${up}kernel/iommu_groups/${group}`, join(folder, 'iommu_group'))
}

/** The best of several runs, in milliseconds: on a shared machine the least disturbed run is the truest. */
function best(argv, runs) {
  let least = Number.POSITIVE_INFINITY
  for (let run = 0; run < runs; run++) {
    const started = performance.now()
    const { error } = spawnSync(argv[0], argv.slice(1), { stdio: ['ignore', 'ignore', 'ignore'] })
    if (error) throw error
    least = Math.min(least, performance.now() - started)
  }
  return least
}

function peakMemory(argv) {
  const hook =
    'data:text/javascript,process.on("exit",()=>process.stderr.write("peak "+process.resourceUsage().maxRSS))'
  const { stderr } = spawnSync(process.execPath, ['--import', hook, ...argv], { encoding: 'utf8', maxBuffer: 1 << 26 })
  return Number(/peak (\d+)/.exec(stderr)?.[1] ?? Number.NaN) / 1024
}

const shellLoop =
  'for d in "$1"/sys/kernel/iommu_groups/*/devices/*; do n=${d#*/iommu_groups/}; printf "IOMMU Group %s " "${n%%/*}"; lspci -O sysfs.path="$1"/sys/bus/pci -nns "${d##*/}"; done'

function measure(name, root, { runs, loop }) {
  const ours = best([process.execPath, cli, 'inspect', '--json', '--root', root], runs)
  const tree = best([process.execPath, cli, 'inspect', '--root', root], runs)
  const lspci = best(['lspci', '-vvv', '-O', `sysfs.path=${root}/sys/bus/pci`], runs)
  const memory = peakMemory([cli, 'inspect', '--json', '--root', root])
  const row = [
    name.padEnd(22),
    `inspect ${ours.toFixed(0)} ms`,
    `as text ${tree.toFixed(0)} ms`,
    `lspci -vvv ${lspci.toFixed(0)} ms`,
    `ratio ${(ours / lspci).toFixed(2)}`,
    `peak ${memory.toFixed(0)} MiB`,
  ]
  if (loop) {
    const shell = best(['sh', '-c', shellLoop, 'sh', root], 2)
    row.push(`shell loop ${shell.toFixed(0)} ms, ${(shell / ours).toFixed(1)} times ours`)
  }
  console.log(row.join('  '))
  return ours
}

async function measureLibrary(root) {
  const library = await import(pathToFileURL(join(project, 'dist/index.mjs')).href)
  if (typeof library.readHost !== 'function') return
  const times = []
  for (let run = 0; run < 12; run++) {
    const started = performance.now()
    library.judgeHost(library.readHost(library.linuxSystem({ root })))
    times.push(performance.now() - started)
  }
  const [first] = times
  console.log(`library call, 226 functions: first ${first.toFixed(0)} ms, best ${Math.min(...times).toFixed(0)} ms`)
}

console.log(`node alone ${best([process.execPath, '-e', '0'], 5).toFixed(0)} ms`)
if (existsSync(corpus)) {
  const root = join(work, 'dl360')
  mkdirSync(root)
  execFileSync('tar', ['-C', root, '-xzf', corpus])
  measure('DL360, 226 functions', root, { runs: 7, loop: true })
  await measureLibrary(root)
} else console.log('the DL360 tree is not there (../shared/corpus)')
const small = measure('512 functions', makeTree(512), { runs: 5, loop: false })
const large = measure('4,096 functions', makeTree(4096), { runs: 3, loop: false })
console.log(`8 times the functions take ${(large / small).toFixed(1)} times as long`)
