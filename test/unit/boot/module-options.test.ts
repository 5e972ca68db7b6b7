/** Ids for drivers that take every device of a kind: found wherever they stand, and taken out to the byte. */
import fc from '../../support/random.ts'
import { describe, expect, it } from 'vitest'
import { idsInFile, idsOnCmdline, removeIds, takerOfArg } from '../../../src/boot/module-options.ts'

const modprobe = '/etc/modprobe.d/vfio.conf'
const modules = '/etc/initramfs-tools/modules'

describe('on the command line', () =>
  it.each([
    ['quiet vfio-pci.ids=8086:10D3,10de:1 ro', [['vfio-pci.ids=8086:10D3,10de:1', '8086:10d3,10de:1']]],
    ['vfio_pci.ids="8086:1"', [['vfio_pci.ids="8086:1"', '8086:1']]],
    ['"vfio-pci.ids=8086:1"', [['"vfio-pci.ids=8086:1"', '8086:1']]],
    [
      'pci-stub.ids=1:2 vfio-pci.ids=3:4',
      [
        ['pci-stub.ids=1:2', '1:2'],
        ['vfio-pci.ids=3:4', '3:4'],
      ],
    ],
    ['vfio-pci.ids= vfio-pci.idsx=1 vfio-pci.disable_vga=1 xvfio-pci.ids=1:2 ids=8086:1', []],
    // modprobe reads on behind what the kernel leaves to init.
    ['init=/bin/sh -- vfio-pci.ids=1:2', [['vfio-pci.ids=1:2', '1:2']]],
  ])('%s', (cmdline, found) =>
    expect(idsOnCmdline(cmdline).map(({ argument, ids }) => [argument, ids])).toEqual(found),
  ))

describe('in a file', () => {
  it.each<[string, string, string, string[], string]>([
    [
      'a line of its own',
      modprobe,
      'options vfio-pci ids=8086:1\nsoftdep a pre: b\n',
      ['8086:1'],
      'softdep a pre: b\n',
    ],
    [
      'another option beside',
      modprobe,
      'options vfio-pci ids=8086:1 disable_vga=1\n',
      ['8086:1'],
      'options vfio-pci disable_vga=1\n',
    ],
    [
      'an option before',
      modprobe,
      'options\tvfio_pci  disable_vga=1\t ids="8086:1,2:3"\n',
      ['8086:1,2:3'],
      'options\tvfio_pci  disable_vga=1\n',
    ],
    ['no newline at the end', modprobe, '# x\noptions vfio-pci ids=8086:1', ['8086:1'], '# x\n'],
    [
      'joined lines',
      modprobe,
      'options vfio-pci \\\n  ids=8086:1 \\\n  disable_vga=1\n',
      ['8086:1'],
      'options vfio-pci \\\n  disable_vga=1\n',
    ],
    [
      'a line joined to nothing else',
      modprobe,
      'a\noptions vfio-pci \\\n  ids=8086:1\nb\n',
      ['8086:1'],
      'a\nb\n',
    ],
    ['twice', modprobe, 'options vfio-pci ids=1:2 ids=3:4 x=y\n', ['1:2', '3:4'], 'options vfio-pci x=y\n'],
    ['pci-stub', modprobe, 'options pci-stub ids=1:2\n', ['1:2'], ''],
    ['a comment', modprobe, '#options vfio-pci ids=1:2\n', [], '#options vfio-pci ids=1:2\n'],
    [
      'what a comment is joined to',
      modprobe,
      '# \\\noptions vfio-pci ids=1:2\n',
      [],
      '# \\\noptions vfio-pci ids=1:2\n',
    ],
    [
      'another module',
      modprobe,
      'options snd ids=1:2\nsoftdep vfio-pci ids=1\n',
      [],
      'options snd ids=1:2\nsoftdep vfio-pci ids=1\n',
    ],
    ['empty ids', modprobe, 'options vfio-pci ids=\n', [], ''],
    [
      'with carriage returns',
      modprobe,
      'options vfio-pci ids=1:2 x=y\r\n',
      ['1:2'],
      'options vfio-pci x=y\r\n',
    ],
    ['the initramfs', modules, '# m\nvfio\nvfio-pci ids=1:2\nnvme\n', ['1:2'], '# m\nvfio\nvfio-pci\nnvme\n'],
    [
      'the initramfs, as modprobe says it',
      modules,
      'options vfio-pci ids=1:2\n',
      [],
      'options vfio-pci ids=1:2\n',
    ],
  ])('%s', (_, path, text, found, left) => {
    expect(idsInFile(path, text).map(({ ids }) => ids)).toEqual(found)
    expect(removeIds(path, text)).toBe(left)
  })

  it('is said of the driver it was given to', () => {
    expect(idsInFile(modprobe, 'options pci_stub ids=1:2\noptions vfio_pci ids=3:4\n')).toEqual([
      { taker: 'pci-stub', ids: '1:2' },
      { taker: 'vfio-pci', ids: '3:4' },
    ])
    expect(takerOfArg('pci_stub.ids=')).toBe('pci-stub')
    expect(takerOfArg('vfio-pci.disable_vga=1')).toBeUndefined()
  })

  it('nothing is left, nothing else is touched, and doing it twice is doing it once', () => {
    const piece = fc.constantFrom(
      ...[
        'options',
        'vfio-pci',
        'vfio_pci',
        'ids=8086:1',
        'ids="1:2,3:4"',
        'disable_vga=1',
        '#',
        '"',
        '\\',
        'é',
        'blacklist',
      ],
      ...[' ', '\t', '\n', '\\\n', '\r\n'],
    )
    const words = (text: string) => text.split(/[\s\\]+/).filter((word) => word !== '')
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), fc.constantFrom(modprobe, modules), (pieces, path) => {
        const text = pieces.join('')
        const left = removeIds(path, text)
        expect(idsInFile(path, left)).toEqual([])
        expect(removeIds(path, left)).toBe(left)
        if (idsInFile(path, text).length === 0 && !text.includes('ids=')) expect(left).toBe(text)
        expect(words(left).every((word) => words(text).some((one) => one.includes(word)))).toBe(true)
      }),
      { numRuns: 3000 },
    )
  })
})
