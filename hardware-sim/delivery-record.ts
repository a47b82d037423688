/** One page of seen places: 65 536 of them in 8 KiB. */
const PAGE_BITS = 16
const PAGE_SIZE = 1 << PAGE_BITS
/** Bounds of the record; what lies beyond is counted as `unrecorded`. 4096 pages are 268 million events. */
const PAGES_MAX = 4096
const TOPICS_MAX = 256
const GAPS_MAX = 10_000
const RANGES_SHOWN = 100
const LAST_PAYLOAD_BYTES = 1024

const ID_AT = Buffer.from('"id":"')
const QUOTE = 0x22

export interface SeqRange {
  readonly hub: string
  readonly epoch: string
  readonly from: number
  readonly to: number
}

/** The account of what reached the broker, by identity: hub id, epoch and seq. */
export interface DeliveryReport {
  /** Events that arrived, repetitions included. */
  readonly received: number
  readonly unique: number
  readonly duplicates: number
  /** Of the log seen last. */
  readonly epoch: string | undefined
  readonly firstSeq: number | undefined
  readonly lastSeq: number | undefined
  /** First arrivals by the last level of the topic, which names the class. */
  readonly perClass: Readonly<Record<string, number>>
  readonly perTopic: Readonly<Record<string, number>>
  /** How many places between the first and the last seen never came and were not announced by a gap record. */
  readonly missing: number
  /** Those places, as ranges with both ends included; the first hundred. */
  readonly missingSeqs: readonly SeqRange[]
  readonly gapsAnnounced: number
  /** Messages that are no CloudEvents of a hub: status, other formats. */
  readonly others: number
  readonly unrecorded: number
}

interface Log {
  readonly hub: string
  readonly epoch: string
  readonly pages: Map<number, Uint8Array>
  firstSeq: number
  lastSeq: number
}

/**
 * Remembers which events have come, with one bit for each: a million events take 125 kB. Only the id of a
 * CloudEvent is looked for, so that keeping the record costs the broker little.
 */
export class DeliveryRecord {
  readonly #logs = new Map<string, Log>()
  readonly #gaps: SeqRange[] = []
  readonly #perTopic = new Map<string, number>()
  readonly #perClass = new Map<string, number>()
  readonly #lastPayload = new Map<string, string>()
  #newest: Log | undefined
  #pages = 0
  #received = 0
  #unique = 0
  #gapsAnnounced = 0
  #others = 0
  #unrecorded = 0

  /** A message as it came; one CloudEvent, or a JSON array of them (the batch format). */
  add(topic: string, payload: Uint8Array): void {
    if (this.#perTopic.has(topic) || this.#perTopic.size < TOPICS_MAX) {
      this.#perTopic.set(topic, (this.#perTopic.get(topic) ?? 0) + 1)
    }
    const ids = idsOf(payload)
    if (ids.length > 0) {
      for (const id of ids) this.#event(topic, id)
      return
    }
    this.#others += 1
    if (payload.length <= LAST_PAYLOAD_BYTES && (this.#lastPayload.has(topic) || this.#lastPayload.size < TOPICS_MAX)) {
      this.#lastPayload.set(topic, Buffer.from(payload).toString('utf8'))
    }
  }

  /** The last message on a topic that was no event, such as the hub's status. */
  lastOn(topic: string): string | undefined {
    return this.#lastPayload.get(topic)
  }

  has(hub: string, epoch: string, seq: number): boolean {
    const page = this.#logs.get(`${hub}/${epoch}`)?.pages.get(seq >>> PAGE_BITS)
    return page !== undefined && bitIn(page, seq)
  }

  report(): DeliveryReport {
    const missing = [...this.#logs.values()].flatMap((log) => this.#missing(log))
    return {
      received: this.#received,
      unique: this.#unique,
      duplicates: this.#received - this.#unique - this.#unrecorded,
      epoch: this.#newest?.epoch,
      firstSeq: this.#newest?.firstSeq,
      lastSeq: this.#newest?.lastSeq,
      perClass: Object.fromEntries(this.#perClass),
      perTopic: Object.fromEntries(this.#perTopic),
      missing: missing.reduce((sum, range) => sum + range.to - range.from + 1, 0),
      missingSeqs: missing.slice(0, RANGES_SHOWN),
      gapsAnnounced: this.#gapsAnnounced,
      others: this.#others,
      unrecorded: this.#unrecorded,
    }
  }

  #event(topic: string, id: string): void {
    const gap = /^(.+)\/([^/]+)\/gap-[a-z-]+-(\d+)-(\d+)$/.exec(id)
    if (gap !== null) {
      this.#gapsAnnounced += 1
      if (this.#gaps.length >= GAPS_MAX) this.#gaps.shift()
      this.#gaps.push({ hub: gap[1]!, epoch: gap[2]!, from: Number(gap[3]), to: Number(gap[4]) })
      return
    }
    const parts = /^(.+)\/([^/]+)\/(\d+)$/.exec(id)
    if (parts === null) {
      this.#others += 1
      return
    }
    this.#received += 1
    const log = this.#log(parts[1]!, parts[2]!)
    const seq = Number(parts[3])
    const page = this.#page(log, seq >>> PAGE_BITS)
    if (page === undefined || !Number.isSafeInteger(seq)) {
      this.#unrecorded += 1
      return
    }
    this.#newest = log
    if (bitIn(page, seq)) return
    page[(seq & (PAGE_SIZE - 1)) >> 3]! |= 1 << (seq & 7)
    this.#unique += 1
    log.firstSeq = Math.min(log.firstSeq, seq)
    log.lastSeq = Math.max(log.lastSeq, seq)
    const name = topic.slice(topic.lastIndexOf('/') + 1)
    if (this.#perClass.has(name) || this.#perClass.size < TOPICS_MAX) {
      this.#perClass.set(name, (this.#perClass.get(name) ?? 0) + 1)
    }
  }

  #log(hub: string, epoch: string): Log {
    const key = `${hub}/${epoch}`
    const log = this.#logs.get(key) ?? { hub, epoch, pages: new Map(), firstSeq: Number.POSITIVE_INFINITY, lastSeq: 0 }
    this.#logs.set(key, log)
    return log
  }

  #page(log: Log, index: number): Uint8Array | undefined {
    const known = log.pages.get(index)
    if (known !== undefined || this.#pages >= PAGES_MAX) return known
    this.#pages += 1
    const page = new Uint8Array(PAGE_SIZE >> 3)
    log.pages.set(index, page)
    return page
  }

  #missing(log: Log): SeqRange[] {
    const holes: SeqRange[] = []
    let from: number | undefined
    for (let seq = log.firstSeq; seq <= log.lastSeq; seq++) {
      const page = log.pages.get(seq >>> PAGE_BITS)
      if (page === undefined || !bitIn(page, seq)) from ??= seq
      else if (from !== undefined) {
        holes.push({ hub: log.hub, epoch: log.epoch, from, to: seq - 1 })
        from = undefined
      }
    }
    const gaps = this.#gaps.filter((gap) => gap.hub === log.hub && gap.epoch === log.epoch)
    return gaps.reduce((left, gap) => left.flatMap((hole) => without(hole, gap)), holes)
  }
}

/** What is left of a hole when an announced gap is taken out of it. */
function without(hole: SeqRange, gap: SeqRange): SeqRange[] {
  const before = { ...hole, to: Math.min(hole.to, gap.from - 1) }
  const behind = { ...hole, from: Math.max(hole.from, gap.to + 1) }
  return gap.to < hole.from || gap.from > hole.to ? [hole] : [before, behind].filter(({ from, to }) => from <= to)
}

function bitIn(page: Uint8Array, seq: number): boolean {
  return (page[(seq & (PAGE_SIZE - 1)) >> 3]! & (1 << (seq & 7))) !== 0
}

/** The ids in a payload. The first `"id":"` of a CloudEvent is its own, because the hub writes it before the data. */
function idsOf(payload: Uint8Array): readonly string[] {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength)
  if (bytes[0] === 0x5b) return idsOfBatch(bytes)
  const at = bytes.indexOf(ID_AT)
  const end = at < 0 ? -1 : bytes.indexOf(QUOTE, at + ID_AT.length)
  return end < 0 ? [] : [bytes.toString('latin1', at + ID_AT.length, end)]
}

function idsOfBatch(bytes: Buffer): readonly string[] {
  try {
    const batch = JSON.parse(bytes.toString('utf8')) as readonly { readonly id?: unknown }[]
    return batch.flatMap(({ id }) => (typeof id === 'string' ? [id] : []))
  } catch {
    // Not JSON after all: the message counts among the others.
    return []
  }
}
