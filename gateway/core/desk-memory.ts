import type { Clock } from '../contract/clock.ts'
import type { CommandRecord } from '../contract/command.ts'
import type { Log } from '../contract/log.ts'
import type { Rights } from '../contract/rights.ts'
import type { Store } from '../store/store.ts'
import { COMMAND_TYPES, type DeskEntry, takeUp } from './desk-events.ts'

/** The name of the desk's own cursor: no consumer and no upstream can have it. */
const CONSUMER = 'hub:desk'
/** A command is remembered for so long at least, over any number of restarts ... */
const KEPT_MS = 86_400_000
/** ... unless there are more than so many; the oldest go first. */
const KEPT_MAX = 10_000
/** The cursor is written no oftener than this: it only saves reading at the next start. */
const CONFIRM_MS = 3_600_000
const PAGE_EVENTS = 500
const RIGHTS: Rights = { types: [COMMAND_TYPES], devices: ['*'], classes: ['audit'], privacy: 'sensitive' }

export interface Remembered extends DeskEntry {
  /** On `Clock.monoMs`, when this life of the hub heard of it. */
  readonly sinceMs: number
  /** While it has no outcome: resolves with the record once it has a durable one. */
  done?: Promise<CommandRecord>
}

export interface MemoryParts {
  readonly store: Pick<Store, 'epoch' | 'read' | 'cursor' | 'confirm'>
  readonly clock: Clock
  readonly log: Log
}

/** The commands of at least a day, by id. They stand in the log; the desk's cursor says from where on they are wanted. */
export class DeskMemory {
  readonly #parts: MemoryParts
  readonly #entries = new Map<string, Remembered>()
  #confirmedMs: number

  private constructor(parts: MemoryParts) {
    this.#parts = parts
    this.#confirmedMs = parts.clock.monoMs()
  }

  /** Read back what the log knows. */
  static async recall(parts: MemoryParts): Promise<DeskMemory> {
    const { store, clock } = parts
    const memory = new DeskMemory(parts)
    const found = new Map<string, DeskEntry>()
    const cursor = await store.cursor(CONSUMER, ['audit'])
    let after = cursor?.epoch === store.epoch ? cursor : { epoch: store.epoch, seq: 0 }
    for (let more = true; more; ) {
      const page = await store.read({ after, limit: PAGE_EVENTS, rights: RIGHTS, classes: ['audit'] })
      for (const entry of page.entries) if (entry.kind === 'event') takeUp(found, entry)
      after = page.next
      more = page.more
    }
    const sinceMs = clock.monoMs()
    for (const [id, entry] of found) memory.#entries.set(id, { ...entry, sinceMs })
    return memory
  }

  get(id: string): Remembered | undefined {
    return this.#entries.get(id)
  }

  /** Those that were being executed when the hub died. */
  unfinished(): readonly Remembered[] {
    return [...this.#entries.values()].filter(({ record }) => record.outcome === undefined)
  }

  add(entry: Remembered): void {
    this.#entries.set(entry.record.id, entry)
    this.#forget()
  }

  delete(id: string): void {
    this.#entries.delete(id)
  }

  /** What is old, or too much, from the oldest on; never one without an outcome. */
  #forget(): void {
    const nowMs = this.#parts.clock.monoMs()
    let behind = 0
    for (const [id, { record, sinceMs, seq }] of this.#entries) {
      if (this.#entries.size <= KEPT_MAX && nowMs - sinceMs < KEPT_MS) break
      if (record.outcome === undefined) break
      this.#entries.delete(id)
      behind = seq
    }
    if (behind === 0 || nowMs - this.#confirmedMs < CONFIRM_MS) return
    this.#confirmedMs = nowMs
    const { store, log } = this.#parts
    store.confirm(CONSUMER, { epoch: store.epoch, seq: behind }, ['audit']).catch((error: unknown) => {
      // The next start reads a little more; the storage tells its own trouble.
      log.debug('the cursor of the desk was not written', { error })
    })
  }
}
