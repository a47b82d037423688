/** A text in a file, and what stands there instead. */
export interface Change {
  readonly file: string
  readonly from: string
  readonly to: string
}

/** A bug that somebody could make. */
export interface Mutant extends Change {
  readonly name: string
  /** Another change, where one does not make the bug. */
  readonly also?: Change
  /** The promises that may be found broken: by another one it would be caught by luck. */
  readonly breaks: readonly string[]
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'acknowledged before the commit',
    file: 'gateway/store/committer.ts',
    from: "const committed = await this.#port.call('commit', { parcels, ...this.#book.takeFresh(), confirms })",
    to: `const world = globalThis as { early?: number }
      for (const { events, resolve } of batch.appends) {
        const firstSeq = world.early ?? 1
        world.early = firstSeq + events.length
        resolve({ firstSeq, lastSeq: world.early - 1 })
      }
      const committed = await this.#port.call('commit', { parcels, ...this.#book.takeFresh(), confirms })
      world.early = committed.lastSeq + 1`,
    breaks: ['L1', 'L4'],
  },
  {
    name: 'evicted without a gap record',
    file: 'gateway/store/evictor.ts',
    from: 'this.#gaps.add(runs)',
    to: 'void runs',
    // The log finds the hole itself, and calls it damage.
    breaks: ['L5', 'L8'],
  },
  {
    name: 'thinned without a gap record',
    file: 'gateway/store/thinner.ts',
    from: 'this.#gaps.add(runs)',
    to: 'void runs',
    // The log finds the hole itself, and calls it damage.
    breaks: ['L5', 'L8'],
  },
  {
    name: 'the cursor moves before the acknowledgement',
    file: 'gateway/upstream/session.ts',
    from: 'this.#link.publish(slot.topic, slot.payload, (refusal) => {',
    to: 'queueMicrotask(() => this.#acknowledged(slot))\n    this.#link.publish(slot.topic, slot.payload, (refusal) => {',
    breaks: ['L10'],
  },
  {
    name: 'a refusal counts as an acknowledgement',
    file: 'gateway/upstream/session.ts',
    from: 'if (refusal !== undefined) this.#refused(slot, refusal)',
    to: 'if (refusal === null) this.#refused(slot, refusal)',
    breaks: ['L10'],
  },
  {
    name: 'a cursor may move back',
    file: 'gateway/store/cursors.ts',
    from: 'this.#move(consumer, classes, (before) => Math.max(before, seq))',
    to: 'this.#move(consumer, classes, (before) => (before > seq + 40 ? before : Math.max(0, seq - 40)))',
    breaks: ['L6'],
  },
  {
    name: 'after an error the end is not read anew',
    file: 'gateway/store/log-store.ts',
    from: '    this.#lastSeq = opened.lastSeq\n    this.#tail = new Tail(opened.lastSeq, this.#options.tailEvents',
    to: '    this.#tail = new Tail(opened.lastSeq, this.#options.tailEvents',
    breaks: ['L1', 'L4', 'L5', 'F1', 'error'],
  },
  {
    name: 'a page passes over an event',
    file: 'gateway/store/reader.ts',
    from: 'if (seq > this.#query.afterSeq) {',
    to: 'if (seq > this.#query.afterSeq + (seq % 97 === 0 ? 1 : 0)) {',
    breaks: ['L5'],
  },
  {
    name: 'what memory holds is not let go of with the log',
    file: 'gateway/store/tail.ts',
    from: 'return seq >= this.#lastSeq - (this.#events.length - this.#start)',
    to: 'return seq >= this.#lastSeq - this.#events.length - 1',
    breaks: ['L5', 'error'],
  },
  {
    name: 'events of two classes change places',
    file: 'gateway/store/pack.ts',
    from: 'row.add(rows, at, firstSeq + at / COLUMNS, stream, text, start)',
    to: 'row.add(rows, at, firstSeq + (rows.length / COLUMNS === 2 ? 1 - at / COLUMNS : at / COLUMNS), stream, text, start)',
    breaks: ['L1', 'L2', 'L3', 'L4', 'L5'],
  },
  {
    name: 'a lost connection is never made anew',
    file: 'gateway/upstream/backoff.ts',
    from: 'return ',
    to: 'return 1e9 + ',
    breaks: ['L12'],
  },
  {
    name: 'a connection made anew begins a place too far',
    file: 'gateway/upstream/pump.ts',
    from: '.run(state.position, signal)',
    to: '.run({ ...state.position, seq: Math.min(state.position.seq + 1, parts.store.lastSeq()) }, signal)',
    breaks: ['L10'],
  },
  {
    name: 'a gap record is a place too short',
    file: 'gateway/store/gaps.ts',
    from: 'push(start, head.lastSeq)',
    to: 'push(start, Math.max(start, head.lastSeq - 1))',
    // The log finds the hole itself, and calls it damage.
    breaks: ['L5', 'L8'],
  },
  {
    name: 'after an error the writer is not told the streams again',
    file: 'gateway/store/committer.ts',
    from: '      this.#book = new StreamBook()\n      const fault',
    to: '      const fault',
    breaks: ['L2', 'error'],
  },
  {
    name: 'monotonic time is kept in whole milliseconds',
    file: 'gateway/store/parcel.ts',
    from: 'Math.round(event.monoMs * 1000)',
    to: 'Math.round(event.monoMs) * 1000',
    breaks: ['L2'],
  },
  {
    name: 'acknowledgements out of order move the cursor',
    file: 'gateway/upstream/window.ts',
    from: "if (slot.state !== 'acknowledged') break",
    to: "if (slot.state !== 'acknowledged' && this.#length > 3) break",
    breaks: ['L10'],
  },
  {
    name: 'every start is taken for a log that is not the continuation',
    file: 'gateway/store/mark.ts',
    from: "if (!mark.closed && found.walSalt === undefined) return 'its WAL is gone'",
    to: "if (!mark.closed) return 'its WAL is gone'",
    breaks: ['L4'],
  },
  {
    name: 'commits are not synced (NORMAL for FULL)',
    file: 'gateway/store/sqlite.ts',
    from: "settle(db, 'synchronous', 2, 'FULL')",
    to: "settle(db, 'synchronous', 1, 'NORMAL')",
    breaks: ['L1', 'L4', 'L6'],
  },
  {
    name: 'the next place is that behind the last row, and the mark is not asked (max(seq) + 1)',
    file: 'gateway/store/log-file.ts',
    from: 'let lastSeq = Math.max(new Gaps(db).lastSeq(), new Boots(db).lastFromSeq() - 1)',
    to: `let lastSeq = 0
  atLeast = undefined`,
    also: {
      file: 'gateway/store/mark.ts',
      from: 'if (found.lastSeq < mark.lastSeq) return',
      to: 'if (found.lastSeq < 0) return',
    },
    breaks: ['L1', 'L4'],
  },
  {
    name: 'the next place is that behind the last row (max(seq) + 1)',
    file: 'gateway/store/log-file.ts',
    from: 'let lastSeq = Math.max(new Gaps(db).lastSeq(), new Boots(db).lastFromSeq() - 1)',
    to: 'let lastSeq = 0',
    // The mark knows better, and so all of the log is taken for another one, without a reason.
    breaks: ['L4'],
  },
  {
    name: 'events expire by a wall clock that nobody vouches for',
    file: 'gateway/store/ageing.ts',
    from: 'if (!trusted) return undefined',
    to: 'if (!trusted) return wallMs',
    breaks: ['L13', 'L8'],
  },
  {
    name: 'the order of the classes is turned round when room is made',
    file: 'gateway/store/retention.ts',
    from: "EVICTION_ORDER: readonly EventClass[] = ['telemetry', 'status', 'alarm', 'audit']",
    to: "EVICTION_ORDER: readonly EventClass[] = ['audit', 'alarm', 'status', 'telemetry']",
    breaks: ['L8'],
    also: {
      file: 'gateway/store/retention.ts',
      from: 'const over = EVICTION_ORDER.find((name) => classes[name].rows > 0 && bytesOver(name, stopBytes, log) > 0)',
      to: 'const over = undefined',
    },
  },
  {
    name: 'a gap record tells of one event less',
    file: 'gateway/store/gaps.ts',
    from: 'const counts = { [head.class]: toSeq - fromSeq + 1 }',
    to: 'const counts = { [head.class]: toSeq - fromSeq }',
    breaks: ['L8', 'L5'],
  },
  {
    name: 'what was thinned is told as evicted readings of another class',
    file: 'gateway/store/gaps.ts',
    from: 'const counts: Partial<Record<EventClass, number>> = { ...a.counts }',
    to: 'const counts: Partial<Record<EventClass, number>> = { ...a.counts, ...(a.counts.status ? {} : { status: 1 }) }',
    breaks: ['L8'],
  },
  {
    name: 'the time that was found is not kept for what is in memory',
    file: 'gateway/store/log-store.ts',
    from: 'this.#tail.correct(fixed.clock.offsetMs)',
    to: 'void fixed.clock',
    breaks: ['L13'],
  },
  {
    name: 'a place ahead of the log is taken for the end',
    file: 'gateway/store/log-store.ts',
    from: 'if (position.seq > this.#lastSeq) throw new PositionAhead(position, this.#lastSeq)',
    to: 'if (position.seq > this.#lastSeq + 2_000_000) throw new PositionAhead(position, this.#lastSeq)',
    breaks: ['L6'],
  },
  {
    name: 'a place of another log is taken for one of this',
    file: 'gateway/store/log-store.ts',
    from: 'if (position.epoch !== this.#epoch) throw new EpochChanged(position, this.#oldest())',
    to: 'void EpochChanged',
    breaks: ['L6'],
  },
  {
    name: 'a platform that is over its quota has events given up',
    file: 'gateway/upstream/suspects.ts',
    from: '    isAboutTheMessage(suspect.lastRefusal)',
    to: '    isAboutTheMessage({ ...suspect.lastRefusal, reasonCode: 0x99 })',
    breaks: ['L10'],
  },
  {
    name: 'a poisonous event is tried for ever',
    file: 'gateway/upstream/suspects.ts',
    from: 'return refused || closed',
    to: 'return refused === undefined || closed === undefined',
    breaks: ['L12'],
  },
  {
    name: 'a log that did not open is not opened again',
    file: 'gateway/store/log-store.ts',
    from: 'if (!(error instanceof StoreTrouble) && !(error instanceof Fault)) return this.die(error as Error)',
    to: 'return',
    breaks: ['F1', 'L12'],
  },
  {
    name: 'the database does not stand still while it is copied',
    file: 'gateway/store/service.ts',
    from: 'if (this.#copy !== undefined) return',
    to: 'void this.#copy',
    breaks: ['L1', 'L5', 'F2', 'error'],
  },
  {
    name: 'an opening that fails takes the WAL for lost',
    file: 'gateway/store/marked-opening.ts',
    from: 'if (mark !== undefined && hadWal',
    to: 'if (mark === null && hadWal',
    breaks: ['L4'],
  },
]
