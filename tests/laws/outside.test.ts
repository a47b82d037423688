import { expect, test } from 'vitest'
import { touchesOutside } from './outside.ts'
import { allSources, source, told } from './sources.ts'

const found = (text: string, path = 'gateway/core/a.ts') => told(touchesOutside(source(path, text)))

test('no clock, timer, chance or speech outside the places for them', () => {
  expect(told(allSources().flatMap(touchesOutside))).toEqual([])
})

test.each([
  ['const a = Date.now()', 'Date.now: take the time from a `Clock`'],
  ['const a = new Date()', 'Date() without a time'],
  ['const a = performance.now()', 'performance.now'],
  ['const a = process.hrtime.bigint()', 'process.hrtime'],
  ['const now = Date.now', 'Date.now'],
  ['const a = globalThis.Date.now()', 'Date.now'],
  ['setTimeout(() => 1, 5)', 'setTimeout: take `clock.sleep`'],
  ['const later = setImmediate', 'setImmediate'],
  ['globalThis.setInterval(run, 5)', 'setInterval'],
  ['const o = { setTimeout }', 'setTimeout'],
  ['fetch(u, { signal: AbortSignal.timeout(5) })', 'AbortSignal.timeout'],
  ['const a = Math.random()', 'Math.random: take a `Random`'],
  ['const a = crypto.randomUUID()', 'crypto.randomUUID'],
  ["import { randomBytes } from 'node:crypto'", 'randomBytes of node:crypto'],
  ['console.log(1)', 'console: take a `Log`'],
  ['process.stdout.write(text)', 'process.stdout'],
])('%s is found', (text, message) => {
  expect(found(text)).toEqual([expect.stringContaining(message)])
})

test('the same is free where it belongs', () => {
  for (const path of [
    'gateway/io/clock.ts',
    'gateway/cli.ts',
    'gateway/cli/run.ts',
    'hardware-sim/real-clock.ts',
    'tests/a.test.ts',
  ]) {
    expect(found('setTimeout(() => console.log(Date.now(), Math.random()), 5)', path)).toEqual([])
  }
})

test.each([
  'const a = new Date(ms).toISOString()',
  'const a = Date.UTC(2026, 1, 1)',
  'interface A { setTimeout: number; console(): void }',
  'const a = { setTimeout: 5 }.setTimeout',
  'socket.setTimeout(5)',
  "import { createHash, timingSafeEqual } from 'node:crypto'",
  'class A { setTimeout() { return 1 } }',
  '// console.log(Date.now())',
])('%s asks nothing of the outside', (text) => {
  expect(found(text)).toEqual([])
})
