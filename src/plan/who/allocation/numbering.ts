/** Numbers texts from 0 in the order they are first seen. */
export function numbering() {
  const numbers = new Map<string, number>()
  return {
    number: (text: string): number => {
      const known = numbers.get(text)
      if (known !== undefined) return known
      numbers.set(text, numbers.size)
      return numbers.size - 1
    },
    count: () => numbers.size,
  }
}
