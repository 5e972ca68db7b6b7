/**
 * Folders of ours on a host. Scripts that run on hosts (assets/) name them, too; test/project/scripts.test.ts
 * compares.
 */

/** Kept over reboots: the journal, certificates, the last trial's result. */
export const stateFolder = '/var/lib/handover'

/** Kept as long as this boot: locks, sockets, records of running VMs. */
export const runFolder = '/run/handover'
