import { spawn, spawnSync } from 'node:child_process'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Entry } from '../../gateway/contract/event.ts'
import { openHere, readThroughDamage } from './storage/log-in-a-folder.ts'

const WRITER = fileURLToPath(new URL('./store-writer.ts', import.meta.url))

/** What the writer said over all its runs. */
export class Account {
  /** Batch number to the places it was given. */
  readonly kept = new Map<number, readonly [first: number, last: number]>()
  /** What nobody asks for any more. */
  readonly forgotten = new Map<number, readonly [first: number, last: number]>()
  readonly epochs = new Set<string>()
  refused = 0
  confirmed = 0
  trimmed = 0
  /** Number that no batch has had yet. */
  nextNumber = 0

  hear(output: string): void {
    // A line cut off by the kill was not said.
    for (const line of output.slice(0, output.lastIndexOf('\n') + 1).split('\n')) {
      const [word, ...rest] = line.split(' ')
      const [a = 0, first = 0, last = 0] = rest.map(Number)
      if (word === 'open') this.epochs.add(rest[0] ?? '')
      if (word === 'confirmed') this.confirmed = Math.max(this.confirmed, a)
      if (word === 'trimmed') this.trimmed = Math.max(this.trimmed, a)
      if (word === 'refused') this.refused += 1
      if (word === 'kept') this.kept.set(a, [first, last])
      if (word === 'kept' || word === 'refused') this.nextNumber = Math.max(this.nextNumber, a + 100)
    }
  }

  forget(batch: number): void {
    const places = this.kept.get(batch)
    if (places !== undefined) this.forgotten.set(batch, places)
    this.kept.delete(batch)
  }

  /** Batches that were acknowledged in these words, whole lines of them. */
  static batchesIn(output: string): ReadonlySet<number> {
    const lines = output.slice(0, output.lastIndexOf('\n') + 1).split('\n')
    return new Set(lines.filter((line) => line.startsWith('kept ')).map((line) => Number(line.split(' ')[1])))
  }

  /** What was acknowledged and is not as it was, in words; nothing when all is well. */
  async wrongs(path: string): Promise<string[]> {
    const wrongs: string[] = []
    const entries = await wholeLog(path)
    const gone = entries.flatMap((entry) => (entry.kind === 'gap' ? [entry] : []))
    const events = new Map(entries.flatMap((entry) => (entry.kind === 'event' ? [[entry.seq, entry]] : [])))
    let place = 0
    for (const entry of entries) {
      const [from, to] = entry.kind === 'event' ? [entry.seq, entry.seq] : [entry.fromSeq, entry.toSeq]
      if (from !== place + 1) wrongs.push(`between ${place} and ${from} nothing is said`)
      place = to
    }
    for (const [batch, [first, last]] of this.kept) {
      for (let seq = first; seq <= last; seq++) {
        const event = events.get(seq)
        if (event === undefined) {
          if (!gone.some(({ fromSeq, toSeq }) => fromSeq <= seq && seq <= toSeq))
            wrongs.push(`${seq} was acknowledged and is lost`)
        } else if (!event.body.startsWith(`{"batch":${batch},"n":${seq - first},`)) {
          wrongs.push(`${seq} is ${event.body}, it was batch ${batch}, event ${seq - first}`)
        }
      }
    }
    return wrongs
  }
}

/** Run the writer through another program (such as strace) and kill it after a time, or let it end. */
export function runWriter(
  path: string,
  account: Account,
  how: {
    /** Counted, like `meanwhile`, from its first word on. */
    readonly killAfterMs?: number
    /** Kill it when so many batches were acknowledged. */
    readonly killAfterKept?: number
    /** Kill it when this resolves. */
    readonly killWhen?: Promise<unknown>
    /** How many batches were acknowledged so far. */
    readonly onKept?: (count: number) => void
    readonly meanwhile?: { readonly afterMs: number; readonly act: (saidSoFar: string) => void }
    readonly batches?: number
    /** The room that the log has. */
    readonly maxBytes?: number
    readonly through?: readonly string[]
    readonly environment?: Readonly<Record<string, string>>
  },
): Promise<{ code: number | null; errors: string }> {
  const [program = process.execPath, ...before] = [...(how.through ?? []), process.execPath]
  const count = [String(how.batches ?? 'Infinity'), ...(how.maxBytes === undefined ? [] : [String(how.maxBytes)])]
  const env = { ...process.env, ...how.environment }
  const child = spawn(program, [...before, WRITER, path, String(account.nextNumber), ...count], { env })
  void how.killWhen?.then(() => child.kill('SIGKILL'))
  const timers: NodeJS.Timeout[] = []
  let output = ''
  let errors = ''
  let kept = 0
  child.stdout.on('data', (piece) => {
    if (output === '') {
      if (how.killAfterMs !== undefined) timers.push(setTimeout(() => child.kill('SIGKILL'), how.killAfterMs))
      if (how.meanwhile !== undefined) timers.push(setTimeout(() => how.meanwhile?.act(output), how.meanwhile.afterMs))
    }
    output += piece
    kept += String(piece).split('kept ').length - 1
    how.onKept?.(kept)
    if (kept >= (how.killAfterKept ?? Number.POSITIVE_INFINITY)) child.kill('SIGKILL')
  })
  child.stderr.on('data', (piece) => {
    errors += piece
  })
  return new Promise((resolve) => {
    child.on('close', (code) => {
      for (const timer of timers) clearTimeout(timer)
      account.hear(output)
      resolve({ code, errors })
    })
  })
}

/** What the sqlite3 of the system says of the file, not the library that wrote it. */
export function integrityOf(path: string): string {
  return spawnSync('sqlite3', [path, 'PRAGMA integrity_check'], { encoding: 'utf8' }).stdout.trim()
}

/** What a hub that starts on it reads; a log may find out only then that it is damaged. */
async function wholeLog(path: string): Promise<Entry[]> {
  const store = await openHere(dirname(path))
  try {
    return await readThroughDamage(store)
  } finally {
    await store.close()
  }
}
