import { EVENT_CLASSES } from '../contract/event.ts'
import { RETENTION_TYPE } from './audit-events.ts'
import { KeptNumber } from './kept-number.ts'
import type { NewsBook } from './news.ts'
import type { Keeping } from './retention.ts'
import type { Sqlite } from './sqlite.ts'

/** How much the settings keep, as the log knew it last: whoever has it keep less does so in the open. */
export class KeptKeeping {
  readonly #now: ReadonlyMap<string, readonly [kept: KeptNumber, value: number]>
  #saved = false

  constructor(db: Sqlite, { keepMs, maxBytes }: Keeping, news: NewsBook) {
    const values: [string, number][] = [
      ...EVENT_CLASSES.map((name): [string, number] => [name, keepMs[name]]),
      ['maxBytes', maxBytes],
    ]
    this.#now = new Map(values.map(([name, value]) => [name, [new KeptNumber(db, `keep-${name}`), value] as const]))
    const before: Record<string, number> = {}
    const now: Record<string, number> = {}
    for (const [name, [kept, value]] of this.#now) {
      const last = kept.get()
      if (last === undefined || last === value) continue
      before[name] = last
      now[name] = value
    }
    if (Object.keys(now).length > 0) news.add(RETENTION_TYPE, { before, now })
  }

  /** In the transaction that is open. A crash before it tells the same once more. */
  save(): void {
    if (this.#saved) return
    for (const [kept, value] of this.#now.values()) kept.put(value)
    this.#saved = true
  }
}
