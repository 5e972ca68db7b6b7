/** Where the lab keeps its kernel and images: outside the checkout, as the built command does. */
import { join } from 'node:path'
import { workFolder } from '../../src/machine/work-folder.ts'

export const labCache = join(workFolder.cacheFolder(), 'lab')
