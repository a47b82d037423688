import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'
import type { Entry } from '../../../../gateway/contract/event.ts'
import type { Log } from '../../../../gateway/contract/log.ts'
import { directPort } from '../../../../gateway/store/direct-port.ts'
import { openStore, type StoreOptions } from '../../../../gateway/store/open.ts'
import type { OpenedStore } from '../../../../gateway/store/opened-store.ts'
import type { StorePort } from '../../../../gateway/store/service.ts'
import { openSqlite } from '../../../../gateway/store/sqlite.ts'
import type { ReadQuery, Store } from '../../../../gateway/store/store.ts'
import { VirtualClock } from '../../../../hardware-sim/clock.ts'

const ends: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

/** A folder for a log, removed behind the test together with what is open in it. */
export function storeRig() {
  const folder = mkdtempSync(join(tmpdir(), 'linli-store-'))
  ends.push(() => rmSync(folder, { recursive: true }))
  const clock = new VirtualClock()
  const lines: string[] = []
  /** Switched on when the virtual clock was at zero, until a test says otherwise. */
  const machine = { id: 'boot-1', onMonoMs: 0 }
  const path = join(folder, 'hub.db')
  return {
    folder,
    path,
    clock,
    lines,
    machine,
    /** Open the log at hand, without a thread; every read from the file, every call committed at once. */
    async open(changes: Partial<StoreOptions> = {}): Promise<OpenedStore> {
      const base = { path, hub: 'hub-01', clock, log: logInto(lines), gatherMs: 0, urgentMs: 0, tailEvents: 0 }
      const started = () => ({ id: machine.id, uptimeS: (clock.monoMs() - machine.onMonoMs) / 1000 })
      const store = await openStore({ ...base, machine: started, port: () => directPort(), ...changes })
      ends.push(() => store.close())
      return store
    },
    /** The files of the log as they are now, under another name: what a crash leaves. */
    copied(name: string, from = path): string {
      const to = join(folder, name)
      for (const end of ['', '-wal', '-mark']) if (existsSync(from + end)) copyFileSync(from + end, to + end)
      return to
    },
    /** Do something to the file of a closed log. */
    harm(sql: string, ...values: unknown[]): void {
      const db = openSqlite(path)
      db.prepare(sql).run(...values)
      db.close()
    },
    /** Ask the file of a closed log. */
    ask(sql: string, file = path): unknown[] {
      const db = openSqlite(file)
      const rows = db.prepare(sql).all()
      db.close()
      return rows
    },
  }
}

/** A port whose calls a test can refuse, by name of the call and how many of that name came before. */
export function breakingPort(refuse: (name: string, count: number) => Error | undefined): () => StorePort {
  const port = directPort()
  const counts = new Map<string, number>()
  return () => ({
    call(name, argument) {
      const count = counts.get(name) ?? 0
      counts.set(name, count + 1)
      const error = refuse(name, count)
      return error === undefined ? port.call(name, argument) : Promise.reject(error)
    },
  })
}

/** Everything from a place on, page by page. */
export async function readAll(
  store: Store,
  query: Partial<Omit<ReadQuery, 'after'>> = {},
  afterSeq = 0,
): Promise<Entry[]> {
  const entries: Entry[] = []
  let after = { epoch: store.epoch, seq: afterSeq }
  for (;;) {
    const page = await store.read({ limit: 7, ...query, after })
    entries.push(...page.entries)
    if (page.next.seq < after.seq) throw new Error('a page went back')
    after = page.next
    if (!page.more) return entries
  }
}

/** An entry in few words: `3 alarm` or `gap 1-5 evicted {"telemetry":5}`. */
export function inWords(entry: Entry): string {
  return entry.kind === 'event'
    ? `${entry.seq} ${entry.class}`
    : `gap ${entry.fromSeq}-${entry.toSeq} ${entry.reason} ${JSON.stringify(entry.counts)}`
}

export function logInto(lines: string[]): Log {
  const say =
    (level: string) =>
    (message: string, fields?: Record<string, unknown>): void =>
      void lines.push(`${level} ${message}${fields === undefined ? '' : ` ${JSON.stringify(fields)}`}`)
  const log: Log = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error'), with: () => log }
  return log
}
