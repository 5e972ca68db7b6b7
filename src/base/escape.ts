/** Text inside other languages: XML and HTML, options of QEMU. */

/** For text and attribute values alike; control characters, which XML forbids, become spaces. */
export function escapeXml(text: string): string {
  return text
    .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufffe\uffff]/g, ' ')
    .replaceAll(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}

/** A comma ends a value of a QEMU option, and two of them are one comma in it (qemu(1), `-drive`). */
export function escapeOption(value: string): string {
  return value.replaceAll(',', ',,')
}
