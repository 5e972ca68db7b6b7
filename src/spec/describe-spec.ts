/**
 * Writes two documents from the spec's schema: JSON Schema for editors (draft 7, which yaml-language-server
 * reads) and docs/spec.md. `npm run docs:spec` writes the files; a test compares them with the schema.
 */
import { toJSONSchema } from 'zod'
import { specSchema } from './schema.ts'

type Node = {
  readonly type?: string
  readonly description?: string
  readonly enum?: readonly string[]
  readonly const?: string | number | boolean
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly anyOf?: readonly Node[]
  readonly items?: Node
  readonly properties?: Readonly<Record<string, Node>>
  readonly required?: readonly string[]
  readonly additionalProperties?: Node | boolean
}

export function specJsonSchema(): string {
  const schema = toJSONSchema(specSchema, { target: 'draft-7', io: 'input' })
  return `${JSON.stringify({ ...schema, title: 'Handover spec (home.yaml)' }, undefined, 2)}\n`
}

export function specMarkdown(): string {
  const root = toJSONSchema(specSchema, { target: 'draft-7', io: 'input' }) as Node
  return `${[...head, ...tables('The file', root), ...tail].join('\n')}\n`
}

const head = [
  '# The spec: home.yaml',
  '',
  'The spec describes what you want in one file: the virtual machines, what each VM gets, and what the ' +
    'host keeps. `handover plan`',
  'reads the spec and prints what would happen; `handover apply` does it. This page is generated from the ' +
    'schema in `src/spec/schema.ts`',
  '(`npm run docs:spec`).',
  '',
  'Put this line at the top of the spec, so that an editor with the YAML language server completes and',
  'checks the keys:',
  '',
  '```yaml',
  '# yaml-language-server: $schema=./schema/home.schema.json',
  '```',
  '',
  '(the path is relative to the spec; the package contains the schema). Complete specs to ' +
    'start from are in `examples/`.',
  '',
  '- **Sizes** carry their unit: `512 MiB`, `16 GiB`, `1.5 TiB`. `G`, `GB` and `GiB` all mean GiB.',
  '- **Times** carry their unit: `60 s`, `2 min`.',
  '- **Names** of VMs, roles and cards are lower-case letters, digits and dashes.',
  '- An unknown key is an error, so a typing mistake is never silently ignored.',
  '',
]

const tail = [
  '## Choosing a device',
  '',
  'Write what you know about the device. It must match every key that you write.',
  '',
  '| the device you mean | write |',
  '|---|---|',
  '| any free network port | `{ class: nic }` |',
  '| two ports of one card | `wan: { class: nic, card: quad }`, `lan: { class: nic, card: quad }` |',
  '| a pair (two ports of one chip) | `a: { class: nic, pair: left }`, `b: { class: nic, pair: left }` |',
  '| the second port of the quad card | `{ class: nic, card: quad, port: 2 }` |',
  '| the card in slot 3 | `{ slot: 3 }`, with `class` if the card has devices of several classes |',
  '| the controller of the disk with this serial number | `{ class: storage, disk: WD-WX12345 }` |',
  '| the network port with this MAC address | `{ mac: "00:1b:21:12:34:56" }` |',
  '| the NVMe drive with this serial number | `{ serial: S4EWNX0N123456 }` |',
  '| the card with "GeForce" in its name | `{ name: geforce }` |',
  '| a virtual function of a card | `{ virtual-function: lan, number: 0 }`, and `lan` in ' +
    '`host: virtual-functions` |',
  '| the device at 01:00.0 today | `{ address: "01:00.0" }` as the last resort: addresses ' +
    'change when a card is added |',
  '',
  'A card is one slot, or everything below one switch if all of it has the same maker and kind ' +
    '(for example a quad-port card with a switch',
  'on it). Ports are counted per class, in the order of addresses. The functions that must leave the host ' +
    'together with a device (its IOMMU group,',
  'the sound function of a graphics card) go to the same VM, and the plan shows them.',
  '',
  '`handover lock` records the identities of the chosen devices in `home.lock`. From then on the plan ' +
    'follows a device that moves, and',
  'it stops with an error if another device is in the place of a recorded one.',
]

function tables(title: string, node: Node, depth = 2): string[] {
  const properties = Object.entries(node.properties ?? {})
  const lines = [`${'#'.repeat(Math.min(depth, 4))} ${title}`, '']
  if (depth > 2 && node.description !== undefined) lines.push(node.description, '')
  lines.push('| key | value | meaning |', '|---|---|---|')
  for (const [key, child] of properties) {
    const required = node.required?.includes(key) ? ' (required)' : ''
    lines.push(`| \`${key}\`${required} | ${valueWords(child)} | ${cell(child.description ?? '')} |`)
  }
  lines.push('')
  for (const [key, child] of properties) {
    const inner = innerOf(child)
    if (inner?.properties !== undefined)
      lines.push(
        ...tables(
          `${title === 'The file' ? '' : `${title} → `}${key}${child.type === 'array' || inner !== child ? ' (each)' : ''}`,
          inner,
          depth + 1,
        ),
      )
  }
  return lines
}

function innerOf(node: Node): Node | undefined {
  if (node.properties !== undefined) return node
  if (node.items !== undefined) return node.items
  return typeof node.additionalProperties === 'object' ? node.additionalProperties : undefined
}

function valueWords(node: Node): string {
  if (node.const !== undefined) return `\`${JSON.stringify(node.const)}\``
  if (node.enum !== undefined) return node.enum.map((value) => `\`${value}\``).join(', ')
  if (node.anyOf !== undefined) return node.anyOf.map((one) => valueWords(one)).join(' or ')
  if (node.type === 'array')
    return `list of ${node.items?.properties === undefined ? valueWords(node.items ?? {}) : 'maps'}`
  if (node.type === 'object') return node.properties === undefined ? 'map by name' : 'map'
  if (node.type === 'string' && node.pattern !== undefined) return patternWords(node.pattern)
  if (node.type === 'integer' || node.type === 'number') return 'number'
  return node.type === 'boolean' ? '`true` or `false`' : 'text'
}

function patternWords(pattern: string): string {
  if (pattern.includes('[MGT]')) return 'size'
  if (pattern.includes('minutes')) return 'time'
  return pattern.startsWith('^[a-z][a-z0-9-]') ? 'name' : 'text'
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ')
}
