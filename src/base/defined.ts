/**
 * Members that may be missing, for values in which an absent key means something: `{ address, ...defined({
 * serial }) }`.
 */

type Defined<T> = { readonly [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  readonly [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>
}

/**
 * Without the keys whose value is `undefined`. Where thousands of functions are read, keys are set one by one
 * instead.
 */
export function defined<T extends object>(members: T): Defined<T>
export function defined(members: object): object {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
}
