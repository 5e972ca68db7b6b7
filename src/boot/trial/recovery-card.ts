/**
 * A page for a person whose host does not answer after a boot: written before the trial boot, kept after the
 * confirmation, removed by a rollback. It lies where root finds it on the console, without this program.
 */
import { ownHeader, type OwnFile } from '../own-file.ts'

export const recoveryCardPath = '/root/handover-recovery.txt'

/** `addresses`: those by which the host is reached before the change. */
export function recoveryCard(addresses: readonly string[], minutes: number): OwnFile {
  const reach =
    addresses.length === 0
      ? 'its screen and keyboard, its serial console, or its remote management'
      : `ssh root@${addresses.join(', ssh root@')}; else its screen and keyboard, or its remote management`
  return {
    path: recoveryCardPath,
    mode: 0o600,
    text: `${ownHeader}

How to get this host back after a boot that went wrong

1. Reach it: ${reach}.
2. After the trial boot, wait ${minutes} minutes. Unless somebody runs "handover confirm", it starts the old entry again by itself.
3. If it does not even do that, switch it off and on. The boot loader starts the old entry.
4. If a device is missing, or no VM may start: in the boot menu press e, add handover=off to the line that
   begins with "linux" (systemd-boot: to the line shown), and start it. This holds for one boot.
5. Take everything back: handover rollback
6. Without the program: /var/lib/handover/journal holds the old bytes of every file that was changed.
   record.json names the path of each.
`,
  }
}
