import { execFileSync } from 'node:child_process'
import { endianness } from 'node:os'
import { afterEach, expect, test, vi } from 'vitest'
import type { MachineTime } from '../../../../gateway/contract/clock.ts'
import { createClock } from '../../../../gateway/io/clock.ts'
import { kernelTimeReader, readTimex } from '../../../../gateway/io/kernel-time.ts'

afterEach(() => void vi.useRealTimers())

// struct timex of a 64-bit machine, adjtimex(2): modes, offset, freq, maxerror, esterror, status.
test.skipIf(endianness() !== 'LE' || process.arch === 'arm')(
  'the answer of the kernel is read as the manual has it',
  () => {
    const timex = Buffer.alloc(256)
    timex.writeBigInt64LE(16_000_000n, 24)
    timex.writeInt32LE(0x0040, 40)
    expect(readTimex(timex)).toEqual({ vouched: false, errorMaxMs: 16_000 })
    timex.writeBigInt64LE(31_500n, 24)
    timex.writeInt32LE(0x2001, 40)
    expect(readTimex(timex)).toEqual({ vouched: true, errorMaxMs: 31.5 })
  },
)

test('the judge is asked once a second, and at once when the clock was set', () => {
  vi.useFakeTimers({ now: Date.UTC(2026, 10, 27) })
  const asked: MachineTime[] = []
  const clock = createClock((now) => {
    asked.push(now)
    return 'holdover'
  })
  expect([clock.state(), clock.state()]).toEqual(['holdover', 'holdover'])
  expect(asked).toHaveLength(1)
  vi.advanceTimersByTime(1000)
  clock.state()
  expect(asked).toHaveLength(2)
  vi.setSystemTime(Date.now() + 3_600_000)
  clock.state()
  expect(asked).toHaveLength(3)
  expect(asked[2]!.wallMs - asked[1]!.wallMs).toBe(3_600_000)
  expect(asked[2]!.monoMs - asked[1]!.monoMs).toBe(0)
})

test('without a judge nobody vouches for the clock', () => {
  expect(createClock().state()).toBe('unsynced')
})

test('the kernel says to us what it says to everybody', () => {
  // Perl's syscall is the foreign eye: 159 is adjtimex on x86-64, 171 on arm64 (asm/unistd.h).
  const number = process.arch === 'arm64' ? 171 : 159
  const program = `my $t = "\\0" x 208; my $r = syscall(${number}, $t); print $r < 0 ? "silent" : unpack("i", substr($t, 40, 4)) & 0x40 ? "unsynced" : "synced"`
  const said = execFileSync('perl', ['-e', program], { encoding: 'utf8' })
  if (said === 'silent') return expect(kernelTimeReader()().errorMaxMs).toBe(0)
  expect(kernelTimeReader()().vouched ? 'synced' : 'unsynced').toBe(said)
})
