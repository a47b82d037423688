import type { Clock } from '../contract/clock.ts'
import type { Seen } from '../contract/event.ts'
import { isFault } from '../contract/fault.ts'
import { HEAD_TYPE, headText } from '../store/audit-head.ts'
import type { OpenedStore } from '../store/opened-store.ts'
import type { Recorder } from './recorder.ts'

/** A head is sent so soon behind a start, and then so often: nobody can take back more than an hour unnoticed. */
const FIRST_MS = 10_000
const EVERY_MS = 3_600_000
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
  readonly done: Promise<void>

  constructor(parts: AuditHeadsParts) {
    this.#parts = parts
    this.done = this.#tell()
  }

  async #tell(): Promise<void> {
    const { clock, signal } = this.#parts
    for (let waitMs = FIRST_MS; !signal.aborted; ) {
      try {
        await clock.sleep(waitMs, signal)
        await this.#tellNow()
        waitMs = EVERY_MS
      } catch (error) {
        if (signal.aborted) return
        // The storage tells its own trouble.
        if (!isFault(error)) throw error
        waitMs = RETRY_MS
      }
    }
  }

  async #tellNow(): Promise<void> {
    const { hub, store, recorder, clock, key } = this.#parts
    const { seq, hash: bytes } = await store.auditHead()
    if (seq === 0) return
    const hash = Buffer.from(bytes).toString('hex')
    const data = { hub, seq, hash, signature: key.sign(headText({ hub, seq, hash })), key: key.fingerprint }
    const seen: Seen = { type: HEAD_TYPE, class: 'audit', privacy: 'public', monoMs: clock.monoMs(), data }
    await recorder.commit([seen])
  }
}
