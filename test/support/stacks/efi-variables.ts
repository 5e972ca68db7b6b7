/** EFI variables as efivarfs shows them: four bytes of attributes, then the value. */
export function efiVariable(value: Uint8Array): Uint8Array {
  return Uint8Array.of(7, 0, 0, 0, ...value)
}

/** EFI_LOAD_OPTION with a hard drive node of a GPT partition. */
export function loadOption(description: string, partition: string): Uint8Array {
  const node = hardDrive(partition)
  const path = [...node, 0x7f, 0xff, 4, 0]
  const name = Array.from(description, (char) => [char.charCodeAt(0), 0]).flat()
  return Uint8Array.of(1, 0, 0, 0, path.length, 0, ...name, 0, 0, ...path)
}

function hardDrive(partition: string): number[] {
  const [a = '', b = '', c = '', ...rest] = partition.split('-')
  const bytes = (hex: string): number[] => (hex.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16))
  const id = [
    ...bytes(a).toReversed(),
    ...bytes(b).toReversed(),
    ...bytes(c).toReversed(),
    ...rest.flatMap(bytes),
  ]
  return [4, 1, 42, 0, 1, 0, 0, 0, ...Array.from({ length: 16 }, () => 0), ...id, 2, 2]
}
