import { FIRST_LINK, nextLink } from './audit-chain.ts'
import {
  EPOCH_TYPE,
  type EpochTold,
  EVICTED_TYPE,
  type EvictedTold,
  LINKED_TYPE,
  type LinkedTold,
} from './audit-events.ts'
import { type AuditFinding, AuditFindings, type AuditNote } from './audit-findings.ts'
import { HEAD_TYPE, headIn, type SignedHead } from './audit-head.ts'
import { HeadCheck, type HeadCounts, type HeadKeys } from './audit-head-check.ts'
import { type AuditRow, type AuditTrail, placesOf } from './audit-trail.ts'
import type { Events } from './collect.ts'
import type { GapRun } from './gaps.ts'

export interface AuditVerdict {
  /** Events whose place in the chain is proved. */
  readonly proved: number
  /** The places of the oldest and the newest link that are kept; 0 where there is none. */
  readonly firstSeq: number
  readonly lastSeq: number
  /** Of findings there may be more than are listed. */
  readonly found: number
  readonly findings: readonly AuditFinding[]
  readonly notes: readonly AuditNote[]
  /** The heads that were given. */
  readonly heads: HeadCounts
}

interface Linkless {
  readonly fromSeq: number
  readonly toSeq: number
  readonly events: number
  /** The link of the last of them, were they in the chain. */
  readonly hash: Buffer
}

const TEXTS = {
  changed: 'not what the chain says: this one was edited or put in, or what was before it was removed or moved',
  removed: 'gone without a record',
  unlinked: 'no link: put in, or written by an older version (the hub links those when it starts, and says so)',
  damaged: 'not what was written: its CRC is wrong',
} as const

/**
 * Follows the chain through a log from its oldest link to its newest, and holds it against heads. It takes the same memory
 * however long the log is.
 */
export class AuditCheck {
  readonly #trail: AuditTrail
  readonly #findings = new AuditFindings()
  readonly #notes: AuditNote[] = []
  readonly #heads: HeadCheck
  /** What the next link follows. */
  #before: Uint8Array = FIRST_LINK
  #linkless: Linkless | undefined
  #proved = 0
  #firstSeq = 0
  #lastSeq = 0
  /** The newest place that was let go of, and the newest that the chain itself says so of. */
  #evictedSeq = 0
  #evictedToldSeq = 0

  /** @param keys the public keys of the hub, where signatures are to be looked at */
  constructor(trail: AuditTrail, keys: HeadKeys) {
    this.#trail = trail
    this.#heads = new HeadCheck(trail, keys, this.#findings, this.#notes)
  }

  /** Follow the chain. To be called once, before heads are given. */
  follow(): void {
    const gaps = new GapsAhead(this.#trail.gaps())
    let oldest = 0
    for (const { at, row, hash } of placesOf(this.#trail)) {
      if (oldest === 0 && row !== undefined) oldest = at
      if (this.#firstSeq === 0 && hash !== undefined) this.#firstSeq = at
      if (hash === undefined) this.#withoutLink(row!)
      else if (row === undefined) this.#withoutRow(at, hash, gaps.at(at)?.reason, oldest === 0)
      else this.#linked(row, hash)
    }
    this.#giveUpLinkless()
    this.#findings.settle()
    const torn = this.#trail.torn()
    if (torn.size > 0) {
      const text = `${torn.size} pages of the file can't be read; \`linli log verify\` says more`
      this.#findings.add(this.#lastSeq, 'torn', text, 0)
    }
    if (oldest > 0) this.#tellEvicted(gaps, oldest)
  }

  /** A head that was sent away. */
  head(head: SignedHead): void {
    this.#heads.given(head, this.#firstSeq, this.#lastSeq)
  }

  verdict(): AuditVerdict {
    this.#heads.end()
    const [proved, firstSeq, lastSeq, found] = [this.#proved, this.#firstSeq, this.#lastSeq, this.#findings.count]
    const notes = [...this.#notes].sort((a, b) => a.seq - b.seq)
    return { proved, firstSeq, lastSeq, found, findings: this.#findings.all(), notes, heads: this.#heads.counts }
  }

  #linked({ last, events }: AuditRow, hash: Uint8Array): void {
    this.#lastSeq = last
    if (events === undefined) {
      this.#giveUpLinkless()
      this.#findings.add(last, 'damaged', TEXTS.damaged)
    } else if (this.#linkless !== undefined && nextLink(this.#linkless.hash, events).equals(hash)) {
      const { fromSeq, toSeq, events: count } = this.#linkless
      const text = `${named(fromSeq, toSeq)}: the links are missing, and place ${last} proves the events all the same`
      this.#notes.push({ seq: fromSeq, what: 'link-missing', text })
      this.#linkless = undefined
      this.#prove(last, events, count + 1)
    } else if (nextLink(this.#before, events).equals(hash)) {
      this.#giveUpLinkless(this.#firstSeq === last && this.#before === FIRST_LINK)
      this.#prove(last, events)
    } else {
      this.#giveUpLinkless()
      this.#findings.add(last, 'changed', TEXTS.changed)
    }
    this.#before = hash
  }

  #prove(last: number, events: Events, count = 1): void {
    this.#findings.settle()
    this.#proved += count
    const type = events.streams[0]!.type
    if (type === HEAD_TYPE) {
      const head = headIn(objectIn(events.text))
      if (head === undefined) this.#findings.add(last, 'head-forged', 'no head, though it says so')
      else this.#heads.inside(head, last, this.#firstSeq)
    } else if (type === EPOCH_TYPE) this.#heads.epoch(objectIn<EpochTold>(events.text), last)
    else if (type === LINKED_TYPE) this.#tellLinked(objectIn(events.text), last)
    else if (type === EVICTED_TYPE) this.#evictedToldSeq = Number(objectIn<EvictedTold>(events.text).toSeq)
  }

  #tellLinked({ fromSeq, toSeq, events, reason }: Partial<LinkedTold>, at: number): void {
    const text = `${named(Number(fromSeq), Number(toSeq))}: ${events} events were linked only at place ${at}: ${reason}`
    this.#notes.push({ seq: Number(fromSeq), what: 'linked-later', text })
  }

  #withoutRow(at: number, hash: Uint8Array, reason: string | undefined, before: boolean): void {
    this.#giveUpLinkless()
    this.#lastSeq = at
    this.#before = hash
    // Only the oldest are let go of. Gap records are no part of the chain: whoever removes a row can write one.
    if (reason === 'evicted' && before) this.#evictedSeq = at
    else if (reason === undefined) this.#findings.add(at, 'removed', TEXTS.removed)
    else this.#findings.add(at, 'lost', `gone; a gap record says ${reason}, which the chain does not vouch for`)
  }

  #withoutLink({ last, events }: AuditRow): void {
    if (events === undefined) {
      this.#giveUpLinkless()
      this.#findings.add(last, 'damaged', TEXTS.damaged)
      return
    }
    const known = this.#linkless
    const hash = nextLink(known?.hash ?? this.#before, events)
    this.#linkless = { fromSeq: known?.fromSeq ?? last, toSeq: last, events: (known?.events ?? 0) + 1, hash }
  }

  /** @param begun where the chain provably begins behind them: then they are older than it */
  #giveUpLinkless(begun = false): void {
    if (this.#linkless === undefined) return
    const { fromSeq, toSeq, events } = this.#linkless
    this.#linkless = undefined
    if (!begun) {
      this.#findings.add(fromSeq, 'unlinked', TEXTS.unlinked, events, toSeq)
      return
    }
    const text = `${named(fromSeq, toSeq)}: ${events} events of an older version, from before the chain began: nothing vouches for them`
    this.#notes.push({ seq: fromSeq, what: 'before-the-chain', text })
  }

  #tellEvicted(gaps: GapsAhead, oldest: number): void {
    const gone = gaps.evicted
    if (gone === 0 && this.#evictedSeq === 0) return
    const vouched = this.#evictedToldSeq >= this.#evictedSeq
    const who = vouched ? 'as the chain says' : 'gap records say so, the chain does not (yet)'
    const text = `before place ${oldest}: ${gone} events were let go of, ${who}`
    this.#notes.push({ seq: 0, what: 'evicted', text })
  }
}

function named(fromSeq: number, toSeq: number): string {
  return fromSeq === toSeq ? `place ${fromSeq}` : `places ${fromSeq} to ${toSeq}`
}

/** What an event says, as far as it can be read: somebody may have put in anything. */
function objectIn<T>(text: string): Partial<T> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : {}
  } catch {
    return {}
  }
}

/** The gap records beside a walk that goes up. */
class GapsAhead {
  readonly #runs: Iterator<GapRun>
  #run: GapRun | undefined
  #evicted = 0

  constructor(runs: Iterable<GapRun>) {
    this.#runs = runs[Symbol.iterator]()
    this.#take()
  }

  at(seq: number): GapRun | undefined {
    while (this.#run !== undefined && this.#run.toSeq < seq) this.#take()
    return this.#run !== undefined && this.#run.fromSeq <= seq ? this.#run : undefined
  }

  /** How many audit events gap records say were let go of, in the whole log. */
  get evicted(): number {
    while (this.#run !== undefined) this.#take()
    return this.#evicted
  }

  #take(): void {
    this.#run = this.#runs.next().value as GapRun | undefined
    if (this.#run?.reason === 'evicted') this.#evicted += this.#run.counts.audit ?? 0
  }
}
