import Database from 'better-sqlite3'
import { expect, onTestFinished, test, vi } from 'vitest'
import { storeRig } from './rig.ts'

/** SQLite itself, but for what a test has it do otherwise. */
function withSqlite(
  name: 'pragma' | 'prepare',
  otherwise: (text: string, file: string) => { readonly answer: unknown } | undefined,
) {
  const real = Database.prototype[name] as (...args: unknown[]) => unknown
  vi.spyOn(Database.prototype, name).mockImplementation(function (this: Database.Database, ...args: unknown[]) {
    const found = otherwise(String(args[0]), this.name)
    return (found === undefined ? real.apply(this, args) : found.answer) as never
  })
  onTestFinished(() => void vi.restoreAllMocks())
}

test('a SQLite that does not take FULL starts no hub: it is asked, not believed', async () => {
  const rig = storeRig()
  await (await rig.open()).close()
  // Without being told, better-sqlite3 has the file that it opens again at NORMAL.
  withSqlite('pragma', (text) => (text.startsWith('synchronous=') ? { answer: [] } : undefined))
  await expect(rig.open()).rejects.toMatchObject({
    reach: 'setup',
    code: 'store',
    message: 'SQLite has synchronous=1 where 2 is needed to keep what was acknowledged',
    hint: expect.stringContaining('package-lock.json'),
  })
})

test.each([
  ['synchronous', 1, 2],
  ['journal_mode', 'memory', 'truncate'],
])('neither does one whose mark has %s=%s', async (name, found, wanted) => {
  const rig = storeRig()
  withSqlite('pragma', (text, file) => (text === name && file.endsWith('-mark') ? { answer: found } : undefined))
  await expect(rig.open()).rejects.toMatchObject({
    reach: 'setup',
    message: `SQLite has ${name}=${found} where ${wanted} is needed to keep what was acknowledged`,
  })
})

test.each(['3.51.2', '3.50.9', '2.99.99'])('SQLite %s starts no hub: it may corrupt the log', async (version) => {
  const rig = storeRig()
  withSqlite('prepare', (text) =>
    text === 'SELECT sqlite_version()' ? { answer: { pluck: () => ({ get: () => version }) } } : undefined,
  )
  await expect(rig.open()).rejects.toMatchObject({
    reach: 'setup',
    message: expect.stringContaining(`SQLite ${version}`),
    hint: expect.stringContaining('3.51.3'),
  })
})
