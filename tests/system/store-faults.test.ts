import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { seededRandom } from '../../hardware-sim/random.ts'
import { eventually } from './eventually.ts'
import { needs } from './needs.ts'
import { Account, integrityOf, runWriter } from './store-account.ts'

let folder = ''
afterEach(() => rmSync(folder, { recursive: true }))
function newPath(): string {
  folder = mkdtempSync(join(tmpdir(), 'linli-faults-'))
  return join(folder, 'hub.db')
}

const KILLS = 12

test(`${KILLS} times kill -9 of a writer in full course: what was acknowledged is there`, {
  ...needs('sqlite3'),
  timeout: 120_000,
}, async () => {
  const path = newPath()
  const account = new Account()
  const random = seededRandom(7)
  for (let run = 0; run < KILLS; run++) {
    await runWriter(path, account, { killAfterMs: 20 + random.next() * 400 })
    expect(await account.wrongs(path)).toEqual([])
  }
  expect(account.kept.size).toBeGreaterThan(KILLS * 10)
  expect(account.epochs.size).toBe(1)
  expect(account.refused).toBe(0)
  expect(integrityOf(path)).toBe('ok')
})

/** strace(1), -e inject: let the n-th call of a kind fail. A commit is one fsync of the WAL. Making a log is about 50 writes,
 * and twice that with the better-sqlite3 of `npm run build:sqlite`. */
const FAULTS: readonly [string, string, string][] = [
  ['an fsync that fails while committing', 'fsync,fdatasync', 'fsync,fdatasync:error=EIO:when=25'],
  ['fsyncs that fail three times in a row', 'fsync,fdatasync', 'fsync,fdatasync:error=EIO:when=30..32'],
  ['a write that fails', 'pwrite64', 'pwrite64:error=EIO:when=150'],
  ['a disk that is full for a while', 'pwrite64', 'pwrite64:error=ENOSPC:when=150..165'],
]
test.each(FAULTS)(
  '%s: refused, opened anew, nothing acknowledged is lost',
  {
    ...needs('strace', 'sqlite3'),
    timeout: 60_000,
  },
  async (_name, call, inject) => {
    const path = newPath()
    const account = new Account()
    const through = ['strace', '-f', '-o', '/dev/null', '-e', `trace=${call}`, '-e', `inject=${inject}`]
    const { code } = await runWriter(path, account, { through, batches: 200 })
    expect(code).toBe(0)
    expect(account.refused).toBeGreaterThan(0)
    expect(account.kept.size).toBeGreaterThan(100)
    expect(account.epochs.size).toBe(1)
    expect(await account.wrongs(path)).toEqual([])
    expect(integrityOf(path)).toBe('ok')
  },
)

test('a second hub on the same data ends with words that help, and the first one goes on', async () => {
  const path = newPath()
  const account = new Account()
  const enough = Promise.withResolvers<void>()
  let kept = 0
  const onKept = (count: number) => {
    kept = count
  }
  const first = runWriter(path, account, { killWhen: enough.promise, onKept })
  await eventually(() => kept > 0)
  const second = await runWriter(path, new Account(), { batches: 5 })
  const keptBeside = kept
  await eventually(() => kept > keptBeside)
  enough.resolve()
  expect(second.code).not.toBe(0)
  expect(second.errors).toContain('is in use by another process')
  await first
  expect(await account.wrongs(path)).toEqual([])
})
