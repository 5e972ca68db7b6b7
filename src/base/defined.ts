/**
 * Optional members of a value: `{ address, ...defined({ serial }) }` has the key `serial` only if it is
 * known.
 */

type Defined<T> = { readonly [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  readonly [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>
}

/**
 * Leaves out the keys whose value is `undefined`. Readers that run once for each PCI function set the keys
 * one by one instead, which is faster.
 */
export function defined<T extends object>(members: T): Defined<T>
export function defined(members: object): object {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
}
