import { DOMParser } from '@xmldom/xmldom'
import * as fc from '../../../support/random.ts'
import { describe, expect, it } from 'vitest'
import { judgeHost } from '../../../../src/judge/judge.ts'
import { renderHostHtml } from '../../../../src/show/picture/host-html.ts'
import { layOutHost } from '../../../../src/show/picture/host-rows.ts'
import { renderHostSvg } from '../../../../src/show/picture/host-svg.ts'
import { device, host, need, rootPort } from '../../../support/host-builder.ts'

const nic = (address: string, group: number, name: string) =>
  device(address, { group, networkInterfaces: [{ name, permanentMac: '52:54:00:00:00:01' }] })
const home = host(
  [
    device('00:1f.0', { kind: 'isa', group: 7 }),
    device('00:1f.2', { kind: 'storage', group: 7, name: '</svg><script>alert("x")</script> \u0007 & co' }),
    rootPort('00:01.0', 1, { group: 1, physicalSlot: '1' }),
    rootPort('00:02.0', 2, { group: 2 }),
    nic('01:00.0', 9, 'eth1'),
    nic('01:00.1', 9, 'eth2'),
    nic('02:00.0', 10, 'eth3'),
  ],
  { needs: [need('00:1f.2', '/', ['sda1'])] },
)
const judgement = judgeHost(home)
const owners = { '0000:01:00.0': 'firewall', '0000:01:00.1': 'firewall', '0000:02:00.0': 'media' }

/** Throws on anything that is not well-formed XML. */
const parse = (svg: string) =>
  new DOMParser({
    onError: (level, message) => {
      // A replacement character makes it warn; that character is what we put there for half a surrogate pair.
      if (level !== 'warning') throw new Error(`${level}: ${message}`)
    },
  }).parseFromString(svg, 'image/svg+xml')

describe('the picture of a host', () => {
  const svg = renderHostSvg(home, judgement, owners)

  it('is well-formed, loads nothing and runs nothing', () => {
    const document = parse(svg)
    expect(document.getElementsByTagName('script')).toHaveLength(0)
    expect(svg.replace('http://www.w3.org/2000/svg', '')).not.toMatch(
      /https?:|url\(|@import|href|<image|<foreignObject/i,
    )
    expect(svg).toContain('prefers-color-scheme:dark')
  })

  it('shows every function, its group and its owner once', () => {
    const texts = [...parse(svg).getElementsByTagName('text')].map((node) => node.textContent)
    for (const shown of ['01:00.0', '01:00.1', '02:00.0', '00:1f.2', 'firewall', 'media', '01:00.0 eth1'])
      expect(texts.filter((text) => text === shown)).toHaveLength(1)
    expect(texts.filter((text) => text === '9')).toHaveLength(1)
    expect(texts.some((text) => text?.startsWith('the host needs it: /'))).toBe(true)
  })

  it('draws nothing over anything else, and all of it inside the sheet', () => {
    const layout = layOutHost(home, judgement, owners)
    const cards = layout.buses.flatMap((bus) => [...bus.ports.flatMap((port) => port.cards), ...bus.cards])
    for (const boxes of [cards, layout.vms]) {
      const sorted = [...boxes].sort((a, b) => a.y - b.y)
      for (const [index, box] of sorted.entries()) {
        expect(box.y + box.height).toBeLessThanOrEqual(layout.height - 20)
        expect(box.y + box.height).toBeLessThanOrEqual(sorted[index + 1]?.y ?? Number.POSITIVE_INFINITY)
      }
    }
  })

  it('has room for the heading of the groups where no machine stands beside them', () => {
    const alone = renderHostSvg(home, judgement, {})
    const width = Number(/viewBox="0 0 (\d+) /.exec(alone)?.[1])
    const left = Number(/<text[^>]* x="(\d+)"[^>]*>IOMMU groups</.exec(alone)?.[1])
    expect(left).toBeGreaterThan(0)
    // Twelve signs of 12 px are 84 px at most in the fonts of the page.
    expect(left + 84).toBeLessThanOrEqual(width)
  })

  it('is the same picture every time, and stays small for thousands of functions', () => {
    expect(renderHostSvg(home, judgement, owners)).toBe(svg)
    const many = host(
      Array.from({ length: 1024 }, (_, index) =>
        device(
          `${(index >> 8).toString(16).padStart(2, '0')}:${((index >> 3) & 31).toString(16).padStart(2, '0')}.${index & 7}`,
          { group: index },
        ),
      ),
    )
    expect(renderHostSvg(many, judgeHost(many)).length).toBeLessThan(2_500_000)
  })

  it('survives any name', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        const one = host([device('01:00.0', { name, group: 1, driver: name, physicalSlot: name })])
        parse(renderHostSvg(one, judgeHost(one), { '0000:01:00.0': name }))
      }),
      { numRuns: 200 },
    )
  })
})

describe('the report', () => {
  it('is one file that forbids itself to load anything', () => {
    const html = renderHostHtml(home, judgement, owners)
    expect(html).toContain(`content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"`)
    expect(html).not.toMatch(/<script|<link|src=|\bhref=/i)
    expect(html).toContain('/ → sda1 → 0000:00:1f.2')
    expect(html.match(/<details>/g)).toHaveLength(4)
  })
})
