/** The version, put in by the bundler from package.json; `dev` when run from the sources. */
declare const HANDOVER_VERSION: string | undefined

export const version: string = typeof HANDOVER_VERSION === 'string' ? HANDOVER_VERSION : 'dev'
