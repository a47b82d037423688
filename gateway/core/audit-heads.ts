import type { Clock } from '../contract/clock.ts'
import type { Seen } from '../contract/event.ts'
import { isFault } from '../contract/fault.ts'
import type { AuditHead } from '../store/audit-chain.ts'
import { HEAD_TYPE, headText } from '../store/audit-head.ts'
import type { OpenedStore } from '../store/opened-store.ts'
import type { Recorder } from './recorder.ts'

/** A head is sent so soon behind a start, and then so often: nobody can take back more than an hour unnoticed. */
const FIRST_MS = 10_000
const EVERY_MS = 3_600_000
/** Sooner where there is so much new to vouch for; looked at so often. */
const EVERY_EVENTS = 1000
const LOOK_MS = 10_000
/** Where the storage did not take it. */
const RETRY_MS = 60_000

export interface AuditHeadsParts {
  readonly hub: string
  readonly store: Pick<OpenedStore, 'auditHead'>
  readonly recorder: Pick<Recorder, 'commit'>
  readonly clock: Clock
  readonly key: { sign(text: string): string; readonly fingerprint: string }
  readonly signal: AbortSignal
}

/** Signs the end of the audit chain and tells it as an event, which goes to whoever may see audit events: upstream too. */
export class AuditHeads {
  readonly #parts: AuditHeadsParts
  #toldMonoMs: number | undefined
  /** Of the log that was opened: events in the chain when a head was told, that head among them. */
  #toldEvents = 0
  readonly done: Promise<void>

  constructor(parts: AuditHeadsParts) {
    this.#parts = parts
    this.done = this.#serve()
  }

  async #serve(): Promise<void> {
    const { clock, signal } = this.#parts
    for (let waitMs = FIRST_MS; !signal.aborted; ) {
      try {
        await clock.sleep(waitMs, signal)
        waitMs = LOOK_MS
        await this.#look()
      } catch (error) {
        if (signal.aborted) return
        // The storage tells its own trouble.
        if (!isFault(error)) throw error
        waitMs = RETRY_MS
      }
    }
  }

  async #look(): Promise<void> {
    const head = await this.#parts.store.auditHead()
    // After trouble with the file it was opened anew, and counts from nothing.
    if (head.events < this.#toldEvents) this.#toldEvents = 0
    const due =
      this.#toldMonoMs === undefined ||
      this.#parts.clock.monoMs() - this.#toldMonoMs >= EVERY_MS ||
      head.events - this.#toldEvents >= EVERY_EVENTS
    if (due && head.seq > 0) await this.#tell(head)
  }

  /** The hub stops: a head of all there is. Where the storage does not take it, the next start tells one. */
  async last(): Promise<void> {
    try {
      const head = await this.#parts.store.auditHead()
      if (head.seq > 0) await this.#tell(head)
    } catch (error) {
      if (!isFault(error)) throw error
    }
  }

  async #tell({ epoch, seq, hash: bytes, events }: AuditHead): Promise<void> {
    const { hub, recorder, clock, key } = this.#parts
    const hash = Buffer.from(bytes).toString('hex')
    const signature = key.sign(headText({ hub, epoch, seq, hash }))
    const data = { hub, epoch, seq, hash, signature, key: key.fingerprint }
    const seen: Seen = { type: HEAD_TYPE, class: 'audit', privacy: 'public', monoMs: clock.monoMs(), data }
    await recorder.commit([seen])
    this.#toldMonoMs = clock.monoMs()
    this.#toldEvents = events + 1
  }
}
