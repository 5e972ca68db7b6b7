/**
 * FunctionFacts: what decides grouping, isolation and reset of one function, whoever read it — the bytes of
 * configuration space (config-space.ts) or the words of `lspci -vvv` (sources/listings). It owns the type,
 * not any way of reading.
 *
 * Every field is three-valued: a value is known, `null` is known to be missing, an absent key is "the input
 * cannot say".
 */
/** Device/Port type of the PCI Express capability (bits 7:4 of the word at capability + 2). */
export type PortType =
  | 'endpoint'
  | 'legacyEndpoint'
  | 'rootPort'
  | 'upstreamPort'
  | 'downstreamPort'
  | 'pcieToPciBridge'
  | 'pciToPcieBridge'
  | 'rootComplexEndpoint'
  | 'rootComplexEventCollector'

/**
 * How deep the input looked into configuration space: `none` (only ids or addresses), `header` (64 bytes, an
 * ordinary user; lspci's `<access denied>`), `standard` (256 bytes: capabilities, but nothing beyond 0xff),
 * `extended` (all there is: 4096 bytes, or every `Capabilities: [1xx]` line of `lspci -v` run by root).
 */
export type ConfigDepth = 'none' | 'header' | 'standard' | 'extended'

/**
 * Access Control Services (PCIe 7.7.11). An empty object means: present, but its flags were not printed
 * (`lspci -v`).
 */
export type AcsFacts = {
  /** ACS Capability word, bits of `acsFlag`: which controls the port has. */
  readonly capability?: number
  /** ACS Control word as read: which controls were on at that moment. */
  readonly control?: number
  /**
   * The dwords at + 4 and + 8, where Sunrise Point ports keep capability and control; `lspci` misreads those
   * ports, so bytes only.
   */
  readonly capabilityDword?: number
  readonly controlDword?: number
}

/**
 * Bits of both ACS words; lspci calls them SrcValid TransBlk ReqRedir CmpltRedir UpstreamFwd EgressCtrl
 * DirectTrans.
 */
export const acsFlag = {
  sourceValidation: 0x01,
  translationBlocking: 0x02,
  requestRedirect: 0x04,
  completionRedirect: 0x08,
  upstreamForwarding: 0x10,
  egressControl: 0x20,
  directTranslated: 0x40,
} as const

export type SriovFacts = {
  readonly totalVfs: number
  readonly numVfs: number
  /** Routing-id distance from the physical function to its first VF, and from one VF to the next. */
  readonly firstVfOffset?: number
  readonly vfStride?: number
  /** VF Device ID; the VFs' own id register reads ffff. */
  readonly vfDeviceId?: string
}

export type PowerFacts = {
  /** PMCSR bit 3: D3hot to D0 keeps the state, so `pm` is no reset. */
  readonly noSoftReset?: boolean
  readonly state?: 'D0' | 'D1' | 'D2' | 'D3hot'
}

export type FunctionFacts = {
  readonly depth: ConfigDepth
  /**
   * All bytes ff, or lspci's `(rev ff)` and `!!! Unknown header type 7f`: asleep in D3cold, or gone. Nothing
   * else is known then.
   */
  readonly notAnswering?: true
  readonly headerType?: 0 | 1 | 2
  /** Bit 7 of the header type; `lspci` without -x does not print it, so text leaves it absent. */
  readonly multifunctionBit?: boolean
  /** From the Express capability; `null` is a conventional PCI function. */
  readonly portType?: PortType | null
  readonly primaryBus?: number
  readonly secondaryBus?: number
  readonly subordinateBus?: number
  readonly acs?: AcsFacts | null
  readonly ari?: boolean
  readonly sriov?: SriovFacts | null
  /**
   * SR-IOV is there, but not where its virtual functions are: `lspci -v` prints the capability's name only.
   */
  readonly sriovUncounted?: true
  /**
   * Device Capabilities bit 28 (lspci: `DevCap: … FLReset+`; the later `DevCtl: … FLReset-` is something
   * else).
   */
  readonly flr?: boolean
  /** Advanced Features capability with both TP and FLR (lspci: `AFCap: TP+ FLR+`). */
  readonly afFlr?: boolean
  readonly power?: PowerFacts | null
  readonly msiVectors?: number | null
  readonly msixVectors?: number | null
  readonly resizableBar?: boolean
  readonly vpd?: boolean
  /** Physical slot number of the port's Slot Capabilities, when a slot is implemented. */
  readonly slotNumber?: number
  /**
   * Intel LPC bridge 00:1f.0 only: bit 0 of the dword at 0xf0; decides the isolation quirk of older PCH root
   * ports.
   */
  readonly rcbaEnabled?: boolean
}
