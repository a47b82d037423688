import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { clockState, isKernelSynced } from '../../../../gateway/io/clock-state.ts'

const BUILT = Date.UTC(2026, 10, 1)
const NOW = Date.UTC(2026, 10, 27)

test.each([
  ['before the hub was built', { wallMs: 0, kernelSynced: true, syncedInThisBoot: true }, 'never'],
  ['steered now', { wallMs: NOW, kernelSynced: true, syncedInThisBoot: false }, 'synced'],
  ['steered once, the source is away', { wallMs: NOW, kernelSynced: false, syncedInThisBoot: true }, 'holdover'],
  ['set by nobody we trust', { wallMs: NOW, kernelSynced: false, syncedInThisBoot: false }, 'unsynced'],
  [
    'the kernel is silent, the service is not',
    { wallMs: NOW, kernelSynced: undefined, syncedInThisBoot: true },
    'synced',
  ],
  ['nobody says anything', { wallMs: NOW, kernelSynced: undefined, syncedInThisBoot: false }, 'unsynced'],
] as const)('%s', (_name, signs, state) => {
  expect(clockState(signs, BUILT)).toBe(state)
})

test('the kernel says what it says to everybody', () => {
  // Perl's syscall is the foreign eye: 159 is adjtimex on x86-64, 171 on arm64 (asm/unistd.h).
  const number = process.arch === 'arm64' ? 171 : 159
  const program = `my $t = "\\0" x 208; my $r = syscall(${number}, $t); print $r < 0 ? "silent" : unpack("i", substr($t, 40, 4)) & 0x40 ? "unsynced" : "synced"`
  const said = execFileSync('perl', ['-e', program], { encoding: 'utf8' })
  const ours = isKernelSynced()
  expect(ours === undefined ? 'silent' : ours ? 'synced' : 'unsynced').toBe(said)
})
