/** A bug that somebody could make: a text in a file, and what stands there with the bug. */
export interface Mutant {
  readonly name: string
  readonly file: string
  readonly from: string
  readonly to: string
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'acknowledged before the commit',
    file: 'gateway/store/committer.ts',
    from: "const committed = await this.#port.call('commit', { parcel, ...this.#book.takeFresh(), confirms })",
    to: `const world = globalThis as { early?: number }
      for (const { events, resolve } of batch.appends) {
        const firstSeq = world.early ?? 1
        world.early = firstSeq + events.length
        resolve({ firstSeq, lastSeq: world.early - 1 })
      }
      const committed = await this.#port.call('commit', { parcel, ...this.#book.takeFresh(), confirms })
      world.early = committed.lastSeq + 1`,
  },
  {
    name: 'evicted without a gap record',
    file: 'gateway/store/evictor.ts',
    from: 'this.#gaps.add(runs)',
    to: 'void runs',
  },
  {
    name: 'thinned without a gap record',
    file: 'gateway/store/thinner.ts',
    from: 'this.#gaps.add(runs)',
    to: 'void runs',
  },
  {
    name: 'the cursor moves before the acknowledgement',
    file: 'gateway/upstream/session.ts',
    from: 'this.#link.publish(slot.topic, slot.payload, (refusal) => {',
    to: 'queueMicrotask(() => this.#acknowledged(slot))\n    this.#link.publish(slot.topic, slot.payload, (refusal) => {',
  },
  {
    name: 'a refusal counts as an acknowledgement',
    file: 'gateway/upstream/session.ts',
    from: 'if (refusal !== undefined) this.#refused(slot, refusal)',
    to: 'if (refusal === null) this.#refused(slot, refusal)',
  },
  {
    name: 'a cursor may move back',
    file: 'gateway/store/cursors.ts',
    from: 'this.#move(consumer, classes, (before) => Math.max(before, seq))',
    to: 'this.#move(consumer, classes, (before) => (before > seq + 40 ? before : Math.max(0, seq - 40)))',
  },
  {
    name: 'after an error the end is not read anew',
    file: 'gateway/store/log-store.ts',
    from: '    this.#lastSeq = opened.lastSeq\n    this.#tail = new Tail(opened.lastSeq, this.#options.tailEvents',
    to: '    this.#tail = new Tail(opened.lastSeq, this.#options.tailEvents',
  },
  {
    name: 'a page passes over an event',
    file: 'gateway/store/reader.ts',
    from: 'if (seq > this.#query.afterSeq) {',
    to: 'if (seq > this.#query.afterSeq + (seq % 97 === 0 ? 1 : 0)) {',
  },
  {
    name: 'what memory holds is not let go of with the log',
    file: 'gateway/store/tail.ts',
    from: 'return seq >= this.#lastSeq - (this.#events.length - this.#start)',
    to: 'return seq >= this.#lastSeq - this.#events.length - 1',
  },
  {
    name: 'events of two classes change places',
    file: 'gateway/store/pack.ts',
    from: 'row.add(rows, at, firstSeq + at / COLUMNS, stream, text, start)',
    to: 'row.add(rows, at, firstSeq + (rows.length / COLUMNS === 2 ? 1 - at / COLUMNS : at / COLUMNS), stream, text, start)',
  },
  {
    name: 'a lost connection is never made anew',
    file: 'gateway/upstream/backoff.ts',
    from: 'return ',
    to: 'return 1e9 + ',
  },
  {
    name: 'a connection made anew begins a place too far',
    file: 'gateway/upstream/pump.ts',
    from: '.run(state.position, signal)',
    to: '.run({ ...state.position, seq: Math.min(state.position.seq + 1, parts.store.lastSeq()) }, signal)',
  },
  {
    name: 'a gap record is a place too short',
    file: 'gateway/store/gaps.ts',
    from: 'push(start, head.lastSeq)',
    to: 'push(start, Math.max(start, head.lastSeq - 1))',
  },
  {
    name: 'after an error the writer is not told the streams again',
    file: 'gateway/store/committer.ts',
    from: '      this.#book = new StreamBook()\n      const fault',
    to: '      const fault',
  },
  {
    name: 'monotonic time is kept in whole milliseconds',
    file: 'gateway/store/parcel.ts',
    from: 'Math.round(event.monoMs * 1000)',
    to: 'Math.round(event.monoMs) * 1000',
  },
  {
    name: 'acknowledgements out of order move the cursor',
    file: 'gateway/upstream/window.ts',
    from: "if (slot.state !== 'acknowledged') break",
    to: "if (slot.state !== 'acknowledged' && this.#length > 3) break",
  },
  {
    name: 'every start is taken for a log that is not the continuation',
    file: 'gateway/store/mark.ts',
    from: "if (!mark.closed && found.walSalt === undefined) return 'its WAL is gone'",
    to: "if (!mark.closed) return 'its WAL is gone'",
  },
]
