/**
 * The order of test files: what takes longest begins first, so that at the end no worker waits long for
 * another.
 */
import { relative } from 'node:path'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Seconds on one machine; only their order counts. Files that are not named take less than the last. */
const seconds: Readonly<Record<string, number>> = {
  'test/lab/reboot.test.ts': 300,
  'test/lab/story.test.ts': 60,
  'test/lab/hosts.test.ts': 40,
  'test/lab/real-kernel.test.ts': 20,
  'test/lab/kill.test.ts': 15,
  'test/package/package.test.ts': 90,
  'test/corpus/cases.test.ts': 60,
  'test/apply/crash-matrix.test.ts': 20,
  'test/apply/crash-matrix-systemd-boot.test.ts': 15,
  'test/apply/crash-matrix-grub.test.ts': 15,
  'test/apply/crash-matrix-unified.test.ts': 10,
  'test/unit/sources/listings/fuzz.test.ts': 9,
  'test/corpus/lspci-differential.test.ts': 9,
  'test/unit/host/function-kind.test.ts': 9,
  'test/corpus/detail.test.ts': 6,
}

export class LongestFirst extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const weight = ({ moduleId }: TestSpecification) => seconds[relative(process.cwd(), moduleId)] ?? 0
    return Promise.resolve(files.toSorted((a, b) => weight(b) - weight(a)))
  }
}
