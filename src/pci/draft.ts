/**
 * A value still being built, key by key. Readers of thousands of functions build this way: a spread for each
 * key that may be absent costs more than what it copies.
 */
export type Draft<T> = { -readonly [K in keyof T]: T[K] }
