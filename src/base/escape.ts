/** Escapes text for XML, HTML and the options of QEMU. */

/** Works for text and for attribute values. Control characters become spaces, since XML forbids them. */
export function escapeXml(text: string): string {
  return text
    .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufffe\uffff]/g, ' ')
    .replaceAll(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}

/** A comma ends a value of a QEMU option; two commas stand for one comma in the value (qemu(1), `-drive`). */
export function escapeOption(value: string): string {
  return value.replaceAll(',', ',,')
}
