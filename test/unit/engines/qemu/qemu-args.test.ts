import { describe, expect, it } from 'vitest'
import type { VmSpec } from '../../../../src/spec/spec.ts'
import type { AssignedFunction } from '../../../../src/engines/engine.ts'
import { qemuArgs, tapName } from '../../../../src/engines/qemu/qemu-args.ts'
import { vmFiles } from '../../../../src/engines/qemu/vm-files.ts'
import { at } from '../../../support/host-builder.ts'
import { specOf } from '../../../support/spec.ts'

function vmOf(body: string): VmSpec {
  const [vm] = specOf(`version: 1\nvms:\n  box:\n    cpus: 2\n    memory: 1 GiB\n${body}`).vms
  if (!vm) throw new Error('no VM')
  return vm
}

const args = (vm: VmSpec, functions: readonly AssignedFunction[] = []) =>
  qemuArgs({
    vm,
    functions,
    files: vmFiles({}, vm.name),
    firmware: { kind: 'bios' },
    accelerator: 'tcg',
  }).join(' ')

describe('the arguments of a VM', () => {
  it('give every virtual port the MAC of the spec, never the one that QEMU has for all', () => {
    const text = args(vmOf('    networks: [{ bridge: br0 }, { bridge: br0, mac: "52:54:00:0C:00:01" }]\n'))
    expect(text).toMatch(/netdev=net0,mac=[0-9a-f:]{17},/)
    expect(text).toContain('netdev=net1,mac=52:54:00:0c:00:01,')
  })

  it('give each host slot a root port of its own, the functions of one card together on it', () => {
    const text = args(vmOf(''), [
      { role: 'lan', address: at('05:00.1'), classCode: '020000' },
      { role: 'wan', address: at('05:00.0'), classCode: '020000' },
      { role: 'disks', address: at('07:00.0'), classCode: '010601' },
      { role: '', address: at('07:00.1') },
    ])
    expect(text).toContain(
      'vfio-pci,id=role-wan,host=0000:05:00.0,bus=port1,addr=0x0.0,multifunction=on,rombar=0',
    )
    expect(text).toContain('vfio-pci,id=role-lan,host=0000:05:00.1,bus=port1,addr=0x0.1,rombar=0')
    expect(text).toContain(
      'vfio-pci,id=role-disks,host=0000:07:00.0,bus=port2,addr=0x0.0,multifunction=on,rombar=0',
    )
    expect(text).toContain('vfio-pci,id=with-0000_07_00_1-1,host=0000:07:00.1,bus=port2,addr=0x0.1')
  })

  it('keep the port of a function that the VM starts without', () => {
    const text = args(vmOf(''), [
      { role: 'screen', address: at('04:00.0'), absent: true },
      { role: 'disks', address: at('07:00.0') },
    ])
    expect(text).toContain('pcie-root-port,id=port1,')
    expect(text).not.toContain('host=0000:04:00.0')
    expect(text).toContain('vfio-pci,id=role-disks,host=0000:07:00.0,bus=port2,addr=0x0.0')
  })

  it('leave the boot ROM to a graphics card alone', () => {
    const text = args(vmOf(''), [{ role: 'screen', address: at('04:00.0'), classCode: '030000' }])
    expect(text).toContain('vfio-pci,id=role-screen,host=0000:04:00.0,bus=port1,addr=0x0.0')
    expect(text).not.toContain('rombar=0')
  })

  it('take all memory from huge pages when asked to', () => {
    const text = args(vmOf('    hugepages: true\n'))
    expect(text).toContain('-machine q35,memory-backend=ram ')
    expect(text).toContain('-object memory-backend-memfd,id=ram,size=1024M,hugetlb=on,prealloc=on ')
    expect(args(vmOf(''))).not.toContain('memory-backend')
  })

  it('boot an installer: disk first, then the ISO', () => {
    const text = args(
      vmOf('    disks: [{ path: "/var/lib/a,b.qcow2", size: 20 GiB }]\n    iso: /isos/OPNsense.iso\n'),
    )
    expect(text).toContain('format=qcow2,cache=none,discard=unmap,file=/var/lib/a,,b.qcow2')
    expect(text).toContain('bootindex=1')
    expect(text).toContain('ide-cd,drive=iso,bus=ide.0,bootindex=90')
  })

  it('keep consoles on unix sockets, the serial one in a log as well', () => {
    const text = args(vmOf('    vnc: true\n'))
    expect(text).toContain(
      'socket,id=serial,path=/run/handover/vm/box/serial.sock,server=on,wait=off,logfile=/run/handover/vm/box/serial.log',
    )
    expect(text).toContain('-vnc unix:/run/handover/vm/box/vnc.sock')
  })

  it.each([
    ['media', 0],
    ['a-very-long-name-of-a-vm', 3],
    ['a-very-long-name-of-another', 3],
  ])('name the tap of %s within 15 characters', (name, index) =>
    expect(tapName(name, index).length).toBeLessThanOrEqual(15),
  )

  it('give different VMs different taps', () =>
    expect(tapName('firewall-a', 0)).not.toBe(tapName('firewall-b', 0)))
})
