/**
 * The folders of this program on a host. The scripts that run on hosts (assets/) name the same folders;
 * test/project/scripts.test.ts compares them.
 */

/** Survives a reboot: the journal, certificates, the result of the last trial. */
export const stateFolder = '/var/lib/handover'

/** Emptied by a reboot: locks, sockets, records of running VMs. */
export const runFolder = '/run/handover'
