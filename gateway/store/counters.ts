import type { Figure } from '../contract/figure.ts'

/** What the log counts of itself. */
export class Counters {
  /** Of the database and its WAL, as the worker saw it last. */
  bytes = 0
  #events = 0
  #commits = 0
  #refused = 0
  #epochChanges = 0
  #waitedMs = 0
  #waits = 0

  committed(events: number): void {
    this.#commits += 1
    this.#events += events
  }

  refused(): void {
    this.#refused += 1
  }

  epochChanged(): void {
    this.#epochChanges += 1
  }

  /** How long one call of append took until it was durable. */
  waitedMs(ms: number): void {
    this.#waits += 1
    this.#waitedMs += ms
  }

  figures(now: { firstSeq: number; lastSeq: number; waiting: number; failed: boolean }): Figure[] {
    const gauge = (name: string, help: string, value: number): Figure => ({ name, help, kind: 'gauge', value })
    const counter = (name: string, help: string, value: number): Figure => ({ name, help, kind: 'counter', value })
    return [
      gauge('linli_log_first_seq', 'Place of the oldest event held.', now.firstSeq),
      gauge('linli_log_last_seq', 'Place of the newest durable event.', now.lastSeq),
      gauge('linli_log_bytes', 'Bytes of the database and its write-ahead log.', this.bytes),
      gauge('linli_log_waiting_events', 'Events that wait for their commit.', now.waiting),
      gauge('linli_log_failed', '1 while the disk keeps nothing, 0 otherwise.', now.failed ? 1 : 0),
      counter('linli_log_events_total', 'Events made durable since the hub was started.', this.#events),
      counter('linli_log_commits_total', 'Transactions synced since the hub was started.', this.#commits),
      counter('linli_log_refused_total', 'Calls that an error of the disk refused.', this.#refused),
      counter('linli_log_epoch_changes_total', 'Times that the log could not be gone on with.', this.#epochChanges),
      counter('linli_log_append_seconds_total', 'Time that callers waited for durability.', this.#waitedMs / 1000),
      counter('linli_log_appends_total', 'Calls that waited for durability.', this.#waits),
    ]
  }
}
