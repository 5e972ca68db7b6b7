/** The lab's report as one file that opens offline. */
import type { LabResult } from '../../lab/result.ts'
import { measurementRatios } from './lab.ts'

export function renderLabHtml(result: LabResult, picture: Uint8Array | undefined): string {
  return `<!doctype html><title>${text(result.topology)}</title><pre>${text(JSON.stringify(measurementRatios(result.measurements)))}</pre>${picture ? '' : ''}`
}

function text(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
