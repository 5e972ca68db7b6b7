/** Where the lab's images are kept during tests: the checkout's own cache, as npm start uses it. */
import { resolve } from 'node:path'

export const labCache = resolve(process.env['HANDOVER_LAB_CACHE'] ?? '.cache/lab')
