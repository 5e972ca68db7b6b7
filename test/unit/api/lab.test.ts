/** The document of a lab run; test/support/lab-run.ts holds those of real runs to the schema. */
import { expect, it } from 'vitest'
import { labDocument, labSchema } from '../../../src/api/lab.ts'
import { renderLabResult } from '../../../src/cli/render/lab.ts'
import { renderLabHtml } from '../../../src/cli/render/lab-html.ts'
import type { LabResult } from '../../../src/lab/result.ts'
import { styler } from '../../../src/show/text/style.ts'
import { documentOf } from '../../support/documents.ts'

const result: LabResult = {
  ...{
    schema: 1,
    topology: 'home',
    accelerator: 'tcg',
    acceleratorWhy: 'no /dev/kvm',
    guestAccelerator: null,
  },
  ...{ kernel: '6.1.0', qemu: '7.2.0', seconds: 61.5, ok: false },
  phases: [{ name: 'boot', seconds: 12.25 }],
  checks: [
    { name: 'the host is as before', result: 'pass', evidence: '12 files' },
    { name: 'no VM is left', result: 'fail', evidence: '<box> runs' },
  ],
  measurements: [
    { way: 'bare host', bytes: 4_000_000, seconds: 2 },
    { way: 'virtio', bytes: 1_000_000, seconds: 2 },
  ],
  session: [{ command: 'handover inspect', status: 1, lines: ['\u001b[1mone\u001b[0m'] }],
}

it('holds to its schema', () => {
  expect(documentOf(labSchema, JSON.stringify(labDocument(result)))).toEqual(result)
})

it('is what the terminal and the report show', () => {
  const text = renderLabResult(result, styler(false))
  expect(text).toContain('1 of 2 checks do not hold')
  expect(text).toContain('virtio            0.25 × bare host   (0.5 MB/s)')
  expect(text).toContain('  61.5 s  in all (host under software emulation: no /dev/kvm)')
  const html = renderLabHtml(result, {})
  expect(html).toContain('<td class="fail">✗ fail</td><td><strong>no VM is left</strong>')
  expect(html).toContain('&lt;box&gt; runs')
  expect(html).toContain('<summary><code>labhost# handover inspect</code> (status 1)</summary><pre>one</pre>')
  expect(html).toContain(
    'The host ran under software emulation (no /dev/kvm); kernel 6.1.0, QEMU 7.2.0; 62 s in all.',
  )
})
