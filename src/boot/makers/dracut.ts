/**
 * dracut makes unified images when its configuration has `uefi="yes"`. The arguments are in `kernel_cmdline`.
 */
import type { Host, HostFile } from '../../host/host.ts'
import type { Step } from '../../steps/step.ts'
import { editStep, manual, type BootChange, type Edits } from '../edits.ts'
import { ownHeader, type OwnFile } from '../own-file.ts'
import { addArgTo, parseShell, removeArgFrom, type Edit } from '../shell-assignment.ts'
import { quote } from '../shell-quote.ts'
import { freshOf, knownImages, replaceImage, type KnownImage } from './known-images.ts'
import { inNoFile, trialFolder, type UkiMaker } from './maker.ts'
import { installsUnified } from './ukify.ts'

const variable = 'kernel_cmdline'
const makeEverything = 'dracut --force --regenerate-all'

const trialDracutFolder = `${trialFolder}/dracut.d`
/**
 * dracut reads this file together with those of /usr/lib/dracut/dracut.conf.d, sorted by name; it must be the
 * last.
 */
const trialDracutPath = `${trialDracutFolder}/zz-handover.conf`

export const dracutMaker: UkiMaker = {
  name: 'dracut',
  isUsed: ({ files = [] }) =>
    !installsUnified(files) && sourcesOf(files).some(({ text }) => /^\s*uefi\+?=["']?yes\b/m.test(text)),
  edit,
  byHand: { path: `in ${variable}= of /etc/dracut.conf.d`, run: `run: ${makeEverything}` },
  makesRunning: (host) => imagesOf(host).some(({ release }) => release === host.kernel.release),
  signs: ({ files = [] }) => sourcesOf(files).some(({ text }) => /^\s*uefi_secureboot_key=/m.test(text)),
  remake: (host) => imagesOf(host).flatMap(({ path, release }) => remakeOne(path, release)),
  trialFiles,
  makeTrial: (_, image, { release }) => [
    {
      argv: ['dracut', '--force', '--confdir', trialDracutFolder, '--uefi', image, release],
      outputs: [image],
    },
  ],
}

/** In the order in which dracut reads them (dracut.conf(5)). */
function sourcesOf(files: readonly HostFile[]): readonly HostFile[] {
  return [
    ...files.filter(({ path }) => path === '/etc/dracut.conf'),
    ...files
      .filter(({ path }) => path.startsWith('/etc/dracut.conf.d/'))
      .toSorted((a, b) => (a.path < b.path ? -1 : 1)),
  ]
}

function imagesOf(host: Host): KnownImage[] {
  return knownImages(host, () => true)
}

function remakeOne(image: string, release: string): Step[] {
  const make = (path: string) => ['dracut', '--force', '--uefi', path, release]
  const fresh = freshOf(image)
  return replaceImage(image, [{ argv: make(fresh), outputs: [fresh] }], make(image))
}

/**
 * dracut sources its files with bash in this order, so an argument is added to the last file that sets the
 * variable.
 */
function edit(files: readonly HostFile[], change: BootChange): Edits {
  const sources = sourcesOf(files)
  const last = sources.findLast(({ text }) =>
    parseShell(text).assignments.some(({ name }) => name === variable),
  )
  if (last === undefined)
    return manual(
      inNoFile,
      `write the whole command line (as in /proc/cmdline) as ${variable}="…" ` +
        `into a file of /etc/dracut.conf.d: ARGS; then run: ${makeEverything}`,
      change,
    )
  const steps: Step[] = []
  for (const file of sources) {
    const edited = editSource(file.text, { add: file === last ? change.add : [], remove: change.remove })
    if (!edited.ok)
      return manual(
        'unified kernel images that dracut makes',
        `${file.path} is not understood (${edited.reason}); there, in ${variable}=: ARGS; ` +
          `then run: ${makeEverything}`,
        change,
      )
    steps.push(...editStep(file, edited.text, change))
  }
  return { ok: true, steps }
}

function editSource(text: string, { add, remove }: BootChange): Edit {
  let edit: Edit = { ok: true, text }
  for (const raw of remove) if (edit.ok) edit = removeArgFrom(edit.text, variable, raw)
  for (const raw of add) if (edit.ok) edit = addArgTo(edit.text, variable, raw, 'bash')
  return edit
}

/** Sources the configuration of the host, and then sets the arguments of the trial. */
function trialFiles(cmdline: string): OwnFile[] {
  const text = `${ownHeader}
# The configuration as it is, with the kernel arguments of one trial boot: dracut --confdir ${trialDracutFolder}
for handover_conf in /etc/dracut.conf.d/*.conf; do
  [ -e "$handover_conf" ] && . "$handover_conf"
done
kernel_cmdline=${quote(cmdline)}
`
  return [{ path: trialDracutPath, text, mode: 0o644 }]
}
