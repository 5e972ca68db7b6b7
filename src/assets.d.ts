/** A file of assets/ as text: the build, the tests and scripts/raw-text.mjs each load it so. */
declare module '*?raw' {
  const text: string
  export default text
}
