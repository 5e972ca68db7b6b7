/**
 * The shapes in which scripts and shell loops print groups; every one states the same three groups of one
 * small machine.
 */
import { describe, expect, test } from 'vitest'
import { deviceOf, groupsOf, readText } from './reading.ts'

const bridge = '00:1c.0 PCI bridge [0604]: Acme Corp Root Port #1 (x4) [1aaa:0c10] (rev f0)'
const nic = '02:00.0 Ethernet controller [0200]: Acme Corp Fast NIC [Turbo 2.5G] [1aaa:15f3] (rev 03)'
const sata = '00:17.0 SATA controller [0106]: Acme Corp Disk Hub bus[A:B] [AHCI mode] [1aaa:a352] (rev 10)'
const gpu =
  '01:00.0 VGA compatible controller [0300]: Bolt Graphics BX1 [Bolt 9000 / 9000 XT] [1bbb:1401] (rev a1)'
const wanted = { 3: '00:17.0', 4: '00:1c.0 02:00.0', 12: '01:00.0' }

const shapes: readonly (readonly [string, string])[] = [
  [
    'prefix, capital',
    `IOMMU Group 3 ${sata}\nIOMMU Group 4 ${bridge}\nIOMMU Group 4 ${nic}\nIOMMU Group 12 ${gpu}`,
  ],
  [
    'prefix with tab and trailing blanks',
    `IOMMU Group 3 \t${sata}   \nIOMMU Group 4 \t${bridge}  \nIOMMU Group 4 \t${nic}\nIOMMU Group 12 \t${gpu}`,
  ],
  [
    'heading and tab',
    `IOMMU Group 3:\n\t${sata}\nIOMMU Group 4:\n\t${bridge}\n\t${nic}\nIOMMU Group 12:\n\t${gpu}`,
  ],
  [
    'heading, not indented',
    `IOMMU group 3\n${sata}\nIOMMU group 4\n${bridge}\n${nic}\nIOMMU group 12\n${gpu}`,
  ],
  [
    'heading with blank lines between',
    `Group 3:\n\n  ${sata}\n\nGroup 4:\n\n  ${bridge}\n\n  ${nic}\n\nGroup 12:\n\n  ${gpu}`,
  ],
  [
    'upper-case heading and (n)',
    `IOMMU GROUP 3\n (3) ${sata}\nIOMMU GROUP 4\n (4) ${bridge}\n (4) ${nic}\nIOMMU GROUP 12\n (12) ${gpu}`,
  ],
  [
    'decorated heading',
    `### IOMMU Group 3 ###\n${sata}\n### IOMMU Group 4 ###\n${bridge}\n${nic}\n### IOMMU Group 12 ###\n${gpu}`,
  ],
  [
    'heading that counts',
    `[IOMMU Group 3] (1 device)\n- ${sata}\n[IOMMU Group 4] (2 devices)\n- ${bridge}\n- ${nic}\n[IOMMU Group 12] (1 device)\n- ${gpu}`,
  ],
  [
    'reset marks',
    `IOMMU group 3\n\t[RESET]\t${sata}\nIOMMU group 4\n\t\t${bridge}\n[R]\t${nic}\nIOMMU group 12\n\t[RESET]\t${gpu}`,
  ],
  [
    'the group printed once per line or not',
    `IOMMU Group 3: ${sata}\nIOMMU Group 4: ${bridge}\n               ${nic}\nIOMMU Group 12: ${gpu}`,
  ],
  ['short word', `group 3: ${sata}\ngroup 4: ${bridge}\ngroup 4: ${nic}\ngroup 12: ${gpu}`],
  ['equals sign', `group=3 ${sata}\ngroup=4 ${bridge}\ngroup=4 ${nic}\ngroup=12 ${gpu}`],
  ['a number alone', `3 ${sata}\n4 ${bridge}\n4 ${nic}\n12 ${gpu}`],
  ['a number in a column', `  3\t${sata}\n  4\t${bridge}\n  4\t${nic}\n 12\t${gpu}`],
  [
    'with domains',
    `IOMMU Group 3 0000:${sata}\nIOMMU Group 4 0000:${bridge}\nIOMMU Group 4 0000:${nic}\nIOMMU Group 12 0000:${gpu}`,
  ],
  [
    'ids before the address',
    `IOMMU group 3:\t[1aaa:a352] 00:17.0 SATA controller: Acme Corp Disk Hub (rev 10)\nIOMMU group 4:\t[1aaa:0c10] 00:1c.0 PCI bridge: Acme Corp Root Port\n\t\t[R] [1aaa:15f3] 02:00.0 Ethernet controller: Acme Corp Fast NIC\nIOMMU group 12:\t[1bbb:1401] 01:00.0 VGA compatible controller: Bolt BX1`,
  ],
  [
    'as a comment',
    `# IOMMU Group 3:\n#   ${sata}\n# IOMMU Group 4:\n#   ${bridge}\n#   ${nic}\n# IOMMU Group 12:\n#   ${gpu}`,
  ],
  [
    'quoted in a mail',
    `> IOMMU Group 3:\n>   ${sata}\n> IOMMU Group 4:\n>   ${bridge}\n>   ${nic}\n> IOMMU Group 12:\n>   ${gpu}`,
  ],
  [
    'CRLF',
    `IOMMU Group 3:\r\n\t${sata}\r\nIOMMU Group 4:\r\n\t${bridge}\r\n\t${nic}\r\nIOMMU Group 12:\r\n\t${gpu}\r\n`,
  ],
  [
    'colours',
    `\u001b[1mIOMMU Group 3:\u001b[0m\n\t\u001b[32m${sata}\u001b[m\n\u001b[1mIOMMU Group 4:\u001b[0m\n\t${bridge}\n\t${nic}\n\u001b[1;31mIOMMU Group 12:\u001b[0m\n\t${gpu}`,
  ],
  [
    'an HTML page',
    `<p>My groups</p><pre><code>IOMMU Group 3:<br/>&nbsp;&nbsp;${sata}<br>IOMMU Group 4:<br>  ${bridge}<br>  ${nic}<br>IOMMU Group 12:<br>  ${gpu}</code></pre>`,
  ],
  [
    'Markdown with escapes',
    `## Groups\n\`\`\`text\nIOMMU Group 3:\n\t${sata.replaceAll('[', '\\[')}\nIOMMU Group 4:\n\t${bridge}\n\t${nic}\nIOMMU Group 12:\n\t${gpu}\n\`\`\``,
  ],
  [
    'behind a prompt',
    `root@box:~# for d in /sys/kernel/iommu_groups/*/devices/*; do n=\${d#*/iommu_groups/*}; n=\${n%%/*}; printf 'IOMMU Group %s ' "$n"; lspci -nns "\${d##*/}"; done\nIOMMU Group 12 ${gpu}\nIOMMU Group 3 ${sata}\nIOMMU Group 4 ${bridge}\nIOMMU Group 4 ${nic}\nroot@box:~# `,
  ],
  [
    'with time stamps',
    `[2031-04-05 10:11:12] IOMMU Group 3 ${sata}\n[2031-04-05 10:11:12] IOMMU Group 4 ${bridge}\n[2031-04-05 10:11:12] IOMMU Group 4 ${nic}\n[2031-04-05 10:11:13] IOMMU Group 12 ${gpu}`,
  ],
  [
    'followed by a plain lspci',
    `IOMMU Group 3:\n\t${sata}\nIOMMU Group 4:\n\t${bridge}\n\t${nic}\nIOMMU Group 12:\n\t${gpu}\n\n$ lspci -nn\n00:00.0 Host bridge [0600]: Acme Corp Host [1aaa:0001]\n${sata}\n${bridge}\n${gpu}\n${nic}`,
  ],
  [
    'with driver lines',
    `IOMMU Group 3:\n\t${sata}\n\t\tSubsystem: Acme Corp Board [1aaa:0101]\n\t\tKernel driver in use: ahci\n\t\tKernel modules: ahci\nIOMMU Group 4:\n\t${bridge}\n\t\tKernel driver in use: pcieport\n\t${nic}\n\t\tKernel driver in use: vfio-pci\n\t\tKernel modules: anic\nIOMMU Group 12:\n\t${gpu}`,
  ],
  [
    'a Markdown table',
    `| group | address | device |\n|---|---|---|\n| 3 | ${sata.replace(' ', ' | ')} |\n| 4 | ${bridge.replace(' ', ' | ')} |\n| 4 | ${nic.replace(' ', ' | ')} |\n| 12 | ${gpu.replace(' ', ' | ')} |`,
  ],
  [
    'comma-separated',
    `3,0000:${sata.replace(' ', ',')}\n4,0000:${bridge.replace(' ', ',')}\n4,0000:${nic.replace(' ', ',')}\n12,0000:${gpu.replace(' ', ',')}`,
  ],
  ['UTF-16 from a Windows terminal', ''],
]

const utf16 = (text: string) => {
  const bytes = new Uint8Array(2 + text.length * 2)
  bytes.set([0xff, 0xfe])
  for (let i = 0; i < text.length; i += 1)
    bytes.set([text.charCodeAt(i) & 0xff, text.charCodeAt(i) >> 8], 2 + i * 2)
  return bytes
}

describe('group listings with descriptions', () => {
  test.each(shapes)('%s', (title, text) => {
    const host = readText(title.startsWith('UTF-16') ? utf16(shapes[0]?.[1] ?? '') : text)
    expect(groupsOf(host)).toEqual(wanted)
    expect(host.source.kind).toBe('script')
    expect(host.iommu.state).toBe('on')
    expect(
      ['00:17.0', '00:1c.0', '01:00.0', '02:00.0'].map((a) => deviceOf(host, `0000:${a}`).deviceId),
    ).toEqual(['a352', '0c10', '1401', '15f3'])
    expect(deviceOf(host, '0000:02:00.0').classCode).toBe('0200')
  })

  test('names keep their brackets, ids and revision are taken off', () => {
    const host = readText(shapes[0]?.[1] ?? '')
    expect(deviceOf(host, '0000:00:17.0')).toMatchObject({
      name: 'Acme Corp Disk Hub bus[A:B] [AHCI mode]',
      className: 'SATA controller',
      classCode: '0106',
      vendorId: '1aaa',
      revision: '10',
    })
  })

  test('a name that pushed its ids out of the line states none, and a note says so', () => {
    const host = readText(
      'IOMMU Group 1 00:10.0 System peripheral [0880]: Acme Corp Very Long RAS Registers [1aaa... (rev 02)\nIOMMU Group 2 ' +
        nic,
    )
    expect(deviceOf(host, '0000:00:10.0')).toMatchObject({ classCode: '0880', revision: '02', iommuGroup: 1 })
    expect(deviceOf(host, '0000:00:10.0').vendorId).toBeUndefined()
    expect(host.findings).toContainEqual(
      expect.objectContaining({
        code: 'input-incomplete',
        message: '1 of 2 functions are stated without vendor and device ids',
      }),
    )
  })

  test('a line the terminal wrapped gets its ids from the next line', () => {
    const host = readText(
      'IOMMU Group 2:\n\t00:01.0 PCI bridge [0604]: Acme Corp 6th-10th Gen Very Long Controller Name (x\n16) [1aaa:1901] (rev 07)\n\t' +
        nic,
    )
    expect(deviceOf(host, '0000:00:01.0')).toMatchObject({
      vendorId: '1aaa',
      deviceId: '1901',
      revision: '07',
      iommuGroup: 2,
    })
  })

  test('line numbers are not groups', () => {
    const host = readText(`     1\t${sata}\n     2\t${bridge}\n     3\t${nic}`)
    expect(host.groups).toEqual([])
    expect(host.devices).toHaveLength(3)
  })
})

const bare: readonly (readonly [string, string, string])[] = [
  [
    'find -type l',
    '/sys/kernel/iommu_groups/4/devices/0000:00:1c.0\n/sys/kernel/iommu_groups/3/devices/0000:00:17.0\n/sys/kernel/iommu_groups/12/devices/0000:01:00.0\n/sys/kernel/iommu_groups/4/devices/0000:02:00.0',
    'find',
  ],
  [
    'ls -l of the link',
    'lrwxrwxrwx 1 root root 0 Apr  5 10:11 /sys/kernel/iommu_groups/4/devices/0000:00:1c.0 -> ../../../../devices/pci0000:00/0000:00:1c.0\nlrwxrwxrwx 1 root root 0 Apr  5 10:11 /sys/kernel/iommu_groups/4/devices/0000:02:00.0 -> ../../../../devices/pci0000:00/0000:00:1c.0/0000:02:00.0\nlrwxrwxrwx 1 root root 0 Apr  5 10:11 /sys/kernel/iommu_groups/3/devices/0000:00:17.0 -> ../../../../devices/pci0000:00/0000:00:17.0\nlrwxrwxrwx 1 root root 0 Apr  5 10:11 /sys/kernel/iommu_groups/12/devices/0000:01:00.0 -> x',
    'find',
  ],
  [
    'ls of the folders',
    '/sys/kernel/iommu_groups/12/devices:\n0000:01:00.0\n\n/sys/kernel/iommu_groups/3/devices:\n0000:00:17.0\n\n/sys/kernel/iommu_groups/4/devices/:\n0000:00:1c.0  0000:02:00.0\n',
    'script',
  ],
  [
    'ls -l of the folders',
    '/sys/kernel/iommu_groups/12/devices:\ntotal 0\nlrwxrwxrwx 1 root root 0 Apr  5 10:11 0000:01:00.0 -> ../../../../devices/pci0000:00/0000:00:01.0/0000:01:00.0\n\n/sys/kernel/iommu_groups/3/devices:\ntotal 0\nlrwxrwxrwx 1 root root 0 Apr  5 10:11 0000:00:17.0 -> ../../../../devices/pci0000:00/0000:00:17.0\n\n/sys/kernel/iommu_groups/4/devices:\ntotal 0\nlrwxrwxrwx 1 root root 0 Apr  5 10:11 0000:00:1c.0 -> ../../../../devices/pci0000:00/0000:00:1c.0\nlrwxrwxrwx 1 root root 0 Apr  5 10:11 0000:02:00.0 -> ../../../../devices/pci0000:00/0000:00:1c.0/0000:02:00.0',
    'script',
  ],
  [
    'tree',
    '/sys/kernel/iommu_groups\n├── 12\n│   ├── devices\n│   │   └── 0000:01:00.0 -> ../../../../devices/pci0000:00/0000:01:00.0\n│   └── type\n├── 3\n│   ├── devices\n│   │   └── 0000:00:17.0 -> ../../../../devices/pci0000:00/0000:00:17.0\n└── 4\n    └── devices\n        ├── 0000:00:1c.0 -> ../../../../devices/pci0000:00/0000:00:1c.0\n        └── 0000:02:00.0 -> ../../../../devices/pci0000:00/0000:00:1c.0/0000:02:00.0',
    'script',
  ],
  [
    'links of the functions',
    '/sys/bus/pci/devices/0000:00:17.0/iommu_group -> ../../../kernel/iommu_groups/3\n/sys/bus/pci/devices/0000:00:1c.0/iommu_group -> ../../../kernel/iommu_groups/4\n/sys/bus/pci/devices/0000:02:00.0/iommu_group -> ../../../../kernel/iommu_groups/4\n/sys/bus/pci/devices/0000:01:00.0/iommu_group -> ../../../../kernel/iommu_groups/12',
    'find',
  ],
  [
    'addresses under headings',
    'IOMMU Group 3:\n  0000:00:17.0\nIOMMU Group 4:\n  0000:00:1c.0\n  0000:02:00.0\nIOMMU Group 12:\n  0000:01:00.0',
    'script',
  ],
  [
    'addresses behind the word',
    'Group 3: 0000:00:17.0\nGroup 4: 0000:00:1c.0 0000:02:00.0\nGroup 12: 0000:01:00.0',
    'script',
  ],
  [
    'the group behind the address',
    '0000:00:17.0 3\n0000:00:1c.0 4\n0000:02:00.0 4\n0000:01:00.0 12',
    'script',
  ],
  [
    'the word behind the address',
    '0000:00:17.0 iommu_group 3\n0000:00:1c.0 iommu_group 4\n0000:02:00.0 iommu_group 4\n0000:01:00.0 iommu_group 12',
    'script',
  ],
]

describe('group listings of addresses only', () => {
  test.each(bare)('%s', (_title, text, kind) => {
    const host = readText(text)
    expect(groupsOf(host)).toEqual(wanted)
    expect(host.source.kind).toBe(kind)
    expect(host.findings.map((f) => f.message)).toContain('the input states no vendor and device ids')
  })

  test('platform devices are members of another kind', () => {
    const host = readText(
      '/sys/kernel/iommu_groups/0/devices/AMDI0020:00\n/sys/kernel/iommu_groups/1/devices/0002:f8:00.0',
    )
    expect(host.groups).toEqual([
      { id: 0, devices: [], otherMembers: ['AMDI0020:00'] },
      { id: 1, devices: ['0002:f8:00.0'] },
    ])
  })
})

describe('how far a heading reaches', () => {
  const plain = `00:00.0 Host bridge [0600]: Acme Corp Root Complex [1aaa:1480]\n${bridge}\n${sata}\n${gpu}\n${nic}`

  test.each([
    [
      'groups on every line',
      `IOMMU Group 12 ${gpu}\nIOMMU Group 3 ${sata}\nIOMMU Group 4 ${bridge}\nIOMMU Group 4 ${nic}`,
    ],
    [
      'headings, indented',
      `IOMMU Group 12:\n\t${gpu}\nIOMMU Group 3:\n\t${sata}\nIOMMU Group 4:\n\t${bridge}\n\t${nic}`,
    ],
    [
      'headings, not indented',
      `IOMMU Group 12\n${gpu}\nIOMMU Group 3\n${sata}\nIOMMU Group 4\n${bridge}\n${nic}`,
    ],
  ])('%s: a plain listing after it adds no member', (_title, groups) => {
    for (const between of ['\n\n', '\n```\n\n```\n', '\n$ lspci -nn\n', '\n\nAnd everything:\n\n'])
      expect(groupsOf(readText(`${groups}${between}${plain}`))).toEqual(wanted)
    expect(groupsOf(readText(`${plain}\n\n${groups}`))).toEqual(wanted)
  })

  test('addresses inside sentences and commands are no members', () => {
    const host = readText(
      `IOMMU Group 12:\n\t${gpu}\n\nI bound 0000:05:00.0 to vfio-pci, and -device vfio-pci,host=06:00.0 works.\nlspci -s 07:00.0 shows nothing.\n`,
    )
    expect(groupsOf(host)).toEqual({ 12: '01:00.0' })
    expect(host.devices).toHaveLength(1)
  })

  test('lspci -t draws no functions', () => {
    const host = readText(
      `${sata}\n\n-[0000:00]-+-00.0  Acme Corp Root Complex\n           +-1c.0-[02]----00.0  Acme Corp Fast NIC\n           \\-1f.0  Acme Corp LPC\n-+-[10000:e0]-+-01.0  Acme\n`,
    )
    expect(host.devices.map((d) => d.address)).toEqual(['0000:00:17.0'])
  })
})

test('a run without drivers does not deny them because another run states one', () => {
  const host = readText(
    `${sata}\n${bridge}\n${gpu}\n${nic}\n\n$ lspci -nnk -s 02:00.0\n${nic}\n\tKernel driver in use: anic\n`,
  )
  expect(deviceOf(host, '0000:02:00.0').driver).toBe('anic')
  expect(deviceOf(host, '0000:00:17.0').driver).toBeUndefined()
})

test('a driver on the same line, and the kernel command line printed above', () => {
  const host = readText(
    `BOOT_IMAGE=/vmlinuz-6.8 root=/dev/sda1 ro quiet pcie_acs_override=downstream\nIOMMU Group 3 ${sata} Driver: ahci\nIOMMU Group 12 ${gpu} driver=none\n`,
  )
  expect(host.kernel.cmdline).toBe(
    'BOOT_IMAGE=/vmlinuz-6.8 root=/dev/sda1 ro quiet pcie_acs_override=downstream',
  )
  expect(deviceOf(host, '0000:00:17.0').driver).toBe('ahci')
  expect(deviceOf(host, '0000:01:00.0').driver).toBe(null)
})

describe('contradictions are told, not hidden', () => {
  test.each([
    [
      'two groups',
      `IOMMU Group 3 ${sata}\n\nIOMMU Group 5 ${sata}`,
      '0000:00:17.0 is stated in IOMMU group 3 and in 5',
    ],
    [
      'two groups under headings',
      `IOMMU Group 3:\n\t${sata}\n\nIOMMU Group 5:\n\t${sata}`,
      '0000:00:17.0 is stated in IOMMU group 3 and in 5',
    ],
    [
      'two drivers',
      `$ lspci -nnk\n${sata}\n\tKernel driver in use: ahci\n$ lspci -nnk\n${sata}\n\tKernel driver in use: vfio-pci\n`,
      '0000:00:17.0 is stated with driver ahci and with driver vfio-pci',
    ],
    [
      'a driver and none',
      `$ lspci -nnk\n${sata}\n\tKernel driver in use: ahci\n$ lspci -nnk\n${sata}\n\tKernel modules: ahci\n${gpu}\n\tKernel driver in use: bolt\n`,
      '0000:00:17.0 is stated with driver ahci and with no driver',
    ],
    [
      'two boots',
      '/sys/kernel/iommu_groups/1/devices/0000:00:17.0\n/sys/kernel/iommu_groups/2/devices/0000:00:17.0',
      '0000:00:17.0 is stated in IOMMU group 1 and in 2',
    ],
  ])('%s', (_title, text, what) => {
    expect(readText(text).findings).toContainEqual({
      code: 'input-incomplete',
      severity: 'warning',
      message: `the input contradicts itself: ${what}; the later statement counts`,
      help: 'give one listing of one machine at a time',
    })
  })

  test('the same said twice is none', () => {
    const host = readText(`IOMMU Group 3 ${sata}\nIOMMU Group 12 ${gpu}\n\n$ lspci -nn\n${sata}\n${gpu}`)
    expect(host.findings.filter((f) => f.severity === 'warning')).toEqual([])
  })
})

test('addresses with their drivers', () => {
  const host = readText('Group 3: 0000:00:17.0 driver: ahci\nGroup 12: 0000:01:00.0 driver: none\n')
  expect(deviceOf(host, '0000:00:17.0')).toMatchObject({ driver: 'ahci', iommuGroup: 3 })
  expect(deviceOf(host, '0000:01:00.0').driver).toBe(null)
})

describe('the table with reset marks', () => {
  const host = readText(
    `Group 21:\t[1aaa:0c10]     00:05.1  PCI bridge                               Root Port
Group 22:\t[1bbb:1401] [R] 07:00.0  VGA compatible controller                BX1 [Bolt 16GB]
\t\t[1bbb:1402]     07:00.1  Audio device                             BX1 Sound
\t\t[1bbb:1403]     07:00.2  USB controller                           BX1 USB
USB:\t\t[1d6b:0002]\t\t Bus 003 Device 001 Linux Foundation 2.0 root hub
\t\t[1bbb:1404]     07:00.3  Serial bus controller                    BX1 Connector
Group 23:\t[1ccc:0001] [R] 08:00.0  Ethernet controller                      Fast
`,
  )
  test('ids stand before the mark, words in the column are the class', () => {
    expect(deviceOf(host, '0000:07:00.0')).toMatchObject({
      vendorId: '1bbb',
      deviceId: '1401',
      classCode: '0300',
      name: 'BX1 [Bolt 16GB]',
    })
    expect(deviceOf(host, '0000:00:05.1').classCode).toBe('0604')
    expect(groupsOf(host)).toEqual({ 21: '00:05.1', 22: '07:00.0 07:00.1 07:00.2 07:00.3', 23: '08:00.0' })
    expect(host.devices).toHaveLength(6)
  })
  test('what is not marked has no reset, what is marked has one that is not named', () => {
    expect(deviceOf(host, '0000:07:00.1').resetMethods).toEqual([])
    expect(deviceOf(host, '0000:07:00.0').resetMethods).toBeUndefined()
  })
  test('without a mark anywhere nothing is said of resets', () => {
    const plain = readText(`IOMMU Group 3:\n\t${sata}\nIOMMU Group 12:\n\t${gpu}\n`)
    expect(plain.devices.map(({ resetMethods }) => resetMethods)).toEqual([undefined, undefined])
  })
})

test('the arguments of a device in JSON are no line of lspci -mm', () => {
  const host = readText(
    `${nic}\nqemu-system-x86_64: -device {"driver":"vfio-pci","host":"0000:02:00.0","id":"hostdev3","bus":"pci.6"}: vfio 0000:02:00.0: failed to open\n`,
  )
  expect(deviceOf(host, '0000:02:00.0').name).toBe('Acme Corp Fast NIC [Turbo 2.5G]')
  expect(host.devices).toHaveLength(1)
})
