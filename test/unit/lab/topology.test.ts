import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { hostArgs } from '../../../src/lab/host-args.ts'
import { parseTopology } from '../../../src/lab/topology.ts'

const home = readFileSync('lab/home.yaml', 'utf8')
const files = {
  boot: { kind: 'kernel' as const, kernel: '/k', initrd: '/i', disk: '/boot,disk.img' },
  ...{ consoleLog: '/c', agentSocket: '/a', qmpSocket: '/q', gdbSocket: '/g' },
  ...{
    disks: new Map([
      ['MEDIA-1', '/m1'],
      ['MEDIA-2', '/m2'],
    ]),
    internetCommand: 'busybox httpd -i',
  },
}

describe('a topology', () => {
  it('of the seed example becomes pairs of functions on root ports of their own', () => {
    const { topology } = parseTopology(home, 'home.yaml')
    if (!topology) throw new Error('lab/home.yaml does not parse')
    const args = hostArgs(topology, files, 'tcg').join(' ')
    expect(args).toContain('pcie-root-port,id=rp1,bus=pcie.0,addr=0x1,chassis=1,slot=1')
    expect(args).toContain(
      'e1000e,id=rp1f0,netdev=net-rp1f0,bus=rp1,addr=0x0.0,multifunction=on,mac=52:54:00:77:01:00',
    )
    expect(args).toContain('e1000e,id=rp1f1,netdev=net-rp1f1,bus=rp1,addr=0x0.1,mac=52:54:00:77:01:01')
    expect(args).toContain('intel-iommu,intremap=on')
    expect(args).toContain('ide-hd,drive=rp3f0-disk1,bus=rp3f0.1,serial=MEDIA-2')
  })

  it('puts the LAN port and the management NIC on one switch, the spare ports on none', () => {
    const { topology } = parseTopology(home, 'home.yaml')
    if (!topology) throw new Error('lab/home.yaml does not parse')
    const hubs = hostArgs(topology, files, 'tcg').flatMap(
      (arg) => /^hubport,id=net-(\w+),hubid=(\d+)$/.exec(arg)?.slice(1) ?? [],
    )
    expect(hubs).toEqual(['rp1f1', '2', 'rp2f0', '1000', 'rp2f1', '1001', 'rp5f0', '2'])
  })

  it('doubles commas in paths, as QEMU wants them', () => {
    const { topology } = parseTopology(home, 'home.yaml')
    if (!topology) throw new Error('lab/home.yaml does not parse')
    expect(hostArgs(topology, files, 'tcg').join(' ')).toContain('file=/boot,,disk.img')
  })

  it.each([
    [
      home.replace('iommu: intel', 'iommu: itnel'),
      'iommu is "itnel"',
      /^did you mean intel\? it is one of intel, amd/,
    ],
    [home.replace('cpus: 2', 'cpus: two'), 'cpus is "two"', /^it is a number/],
    [home.replace('cpus: 2', 'cpus: 99'), 'cpus is "99"', /^it is at most 16$/],
    [home.replace(/cpus: 2\n/, ''), 'the topology has no cpus', /^it is a number/],
    [
      home.replace('52:54:00:77:01:01', '52-54'),
      'ports.0.functions.1.mac is "52-54"',
      /^it is a MAC address such as/,
    ],
    [home.replace(/ports:[\s\S]*/, 'ports: []'), 'ports is a list', /^it has at least 1 entry$/],
    [home.replace('cpus: 2', 'cpus: 2\ncolour: red'), 'the topology has no key "colour"', /lab\/home\.yaml/],
    ['', 'the topology is empty', /^it is a map/],
  ])('says what is wrong and what may stand there (%#)', (text, message, help) => {
    const [finding] = parseTopology(text, 'home.yaml').findings
    expect(finding?.message).toBe(message)
    expect(finding?.help).toMatch(help)
  })

  it.each([
    ['version: 1\nname: [', 'spec-syntax', 2],
    [home.replace('iommu: intel', 'iommu: arm'), 'spec-value', 4],
    [home.replace('cpus: 2', 'cpus: 2\ncolour: red'), 'spec-unknown-key', 6],
    [home.replace('network: internet', 'network: intranet'), 'spec-value', undefined],
    [home.replace('52:54:00:77:01:01', '52:54:00:77:01:00'), 'spec-value', undefined],
    [home.replace('MEDIA-2', 'MEDIA-1'), 'spec-value', undefined],
    ['', 'spec-value', undefined],
    ['- 1', 'spec-value', undefined],
  ])('with an error says which and where (%#)', (text, code, line) => {
    const { topology, findings } = parseTopology(text, 'home.yaml')
    expect(topology).toBeUndefined()
    expect(findings[0]?.code).toBe(code)
    if (line !== undefined) expect(findings[0]?.at?.line).toBe(line)
  })

  it('leaves the first place in the boot order to the kernel that is handed over', () => {
    const { topology } = parseTopology(home, 'home.yaml')
    if (!topology) throw new Error('lab/home.yaml does not parse')
    expect(hostArgs(topology, files, 'tcg').join(' ')).not.toContain('bootindex')
  })

  it('has the two packages where its story is of a package, and only there', () => {
    const text = readFileSync('lab/package.yaml', 'utf8')
    expect(parseTopology(text, 'x.yaml').topology?.packages).toHaveLength(2)
    for (const wrong of [
      text.replace(/^packages: .*$/m, ''),
      text.replace('story: package', 'story: reboot'),
    ])
      expect(parseTopology(wrong, 'x.yaml').findings).toMatchObject([
        { code: 'spec-value', message: 'the story package and the key packages go together' },
      ])
  })

  it('tells a story of reboots only of a system that can reboot', () => {
    const text = (system: string, story: string) =>
      readFileSync('lab/reboot.yaml', 'utf8')
        .replace('system: debian-grub', system)
        .replace('story: reboot', story)
    expect(parseTopology(text('system: debian-grub', 'story: reboot'), 'x.yaml').findings).toEqual([])
    for (const [system, story] of [
      ['system: lab', 'story: reboot'],
      ['system: debian-grub', 'story: inspect'],
    ] as const)
      expect(parseTopology(text(system, story), 'x.yaml').findings).toMatchObject([
        { code: 'spec-value', at: { file: 'x.yaml', line: 8 } },
      ])
  })

  it('lets an installed system start from its own disk, and restart', () => {
    const { topology } = parseTopology(readFileSync('lab/reboot.yaml', 'utf8'), 'lab/reboot.yaml')
    if (!topology) throw new Error('no topology')
    const boot = {
      kind: 'disk' as const,
      disk: '/d,1.img',
      toolDisk: '/t.img',
      firmware: ['-drive', 'if=pflash'],
    }
    const args = hostArgs(topology, { ...files, boot }, 'tcg')
    for (const word of ['-kernel', '-initrd', '-append', '-no-reboot']) expect(args).not.toContain(word)
    expect(args).toContain('if=none,id=boot,format=raw,snapshot=on,cache=unsafe,file=/d,,1.img')
    expect(args).toContain('if=pflash')
    expect(args.find((arg) => arg.startsWith('ide-hd,drive=boot'))).toContain('bootindex=0')
  })
})
