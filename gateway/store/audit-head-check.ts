import type { KeyObject } from 'node:crypto'
import type { EpochTold } from './audit-events.ts'
import type { AuditFinding, AuditFindings, AuditNote } from './audit-findings.ts'
import { isSignedBy, type SignedHead } from './audit-head.ts'
import type { AuditTrail } from './audit-trail.ts'

/** Public keys that a head may be signed with; none: signatures are not looked at. */
export type HeadKeys = readonly KeyObject[]

/** What became of the heads that were given. */
export interface HeadCounts {
  readonly given: number
  /** The log is what they say. */
  readonly held: number
  /** The newest place of those; up to there nothing can have been changed. */
  readonly heldSeq: number
  /** They lie before the oldest link that is kept, so they can't be checked. */
  readonly before: number
  /** They are of other hubs, and were passed over. */
  readonly otherHubs: number
}

/** Holds heads against the links of a log: those that stand in it, and those that were sent away. */
export class HeadCheck {
  readonly #trail: AuditTrail
  readonly #keys: HeadKeys
  readonly #findings: AuditFindings
  readonly #notes: AuditNote[]
  /** Changes of the epoch, by the epoch that ended. */
  readonly #ended = new Map<string, { readonly kept: number; readonly reason: string; readonly at: number }>()
  readonly #known = new Set<string>()
  #counts = { given: 0, held: 0, heldSeq: 0, before: 0, otherHubs: 0 }
  #insideBefore = 0
  #oldestSeq = 0
  #newestSeq = 0

  constructor(trail: AuditTrail, keys: HeadKeys, findings: AuditFindings, notes: AuditNote[]) {
    this.#trail = trail
    this.#keys = keys
    this.#findings = findings
    this.#notes = notes
    if (trail.epoch !== undefined) this.#known.add(trail.epoch)
  }

  get counts(): HeadCounts {
    return this.#counts
  }

  /** The chain says that an epoch ended. */
  epoch({ epoch, before, kept, reason, reached, replaced }: Partial<EpochTold>, at: number): void {
    if (typeof epoch === 'string') this.#known.add(epoch)
    if (typeof replaced === 'string') this.#ended.set(replaced, { kept: 0, reason: String(reason), at })
    if (typeof before !== 'string' || typeof kept !== 'number') return
    this.#known.add(before)
    this.#ended.set(before, { kept, reason: String(reason), at })
    const lost = typeof reached === 'number' && reached > kept ? `, which had come to place ${reached}` : ''
    const text = `place ${at}: epoch ${epoch} began; of ${before}${lost}, the log holds what is up to place ${kept}: ${reason}`
    this.#notes.push({ seq: at, what: 'epoch', text })
  }

  /** A head that stands in the log. @param at its own place */
  inside(head: SignedHead, at: number, oldestSeq: number): void {
    if (this.#keys.length > 0 && !this.#isSigned(head)) {
      this.#find(at, 'head-forged', 'the head is not signed with the key given, or not for what it says')
    } else if (head.seq < oldestSeq) this.#insideBefore += 1
    else if (head.seq >= at) this.#find(at, 'head-forged', `the head speaks of place ${head.seq}, which comes after it`)
    else this.#compare(head, at)
  }

  /** A head that was sent away. The places are those of the oldest and the newest link. */
  given(head: SignedHead, oldestSeq: number, newestSeq: number): void {
    this.#oldestSeq = oldestSeq
    this.#newestSeq = newestSeq
    const counts = this.#counts
    counts.given += 1
    const signed = this.#isSigned(head)
    // A hub may have got another name; what another hub signed is none of ours.
    if (this.#trail.hub !== undefined && head.hub !== this.#trail.hub && !signed) counts.otherHubs += 1
    else if (this.#keys.length > 0 && !signed) {
      this.#find(head.seq, 'head-forged', 'the head given is not signed with the key given, or not for what it says')
    } else this.#hold(head)
  }

  #hold(head: SignedHead): void {
    const { seq, epoch } = head
    const counts = this.#counts
    const ended = epoch === undefined ? undefined : this.#ended.get(epoch)
    if (ended !== undefined && seq > ended.kept) {
      const text = `signed in epoch ${epoch}, of which the log holds nothing behind place ${ended.kept}: ${ended.reason} (told at place ${ended.at})`
      this.#find(seq, 'truncated', text)
    } else if (seq < this.#oldestSeq) counts.before += 1
    else if (epoch !== undefined && !this.#known.has(epoch)) {
      this.#find(seq, 'head-unknown', `signed in epoch ${epoch}, of which the log knows nothing: it is another log`)
    } else if (this.#compare(head, seq)) {
      counts.held += 1
      counts.heldSeq = Math.max(counts.heldSeq, seq)
    }
  }

  /** @param at where to name what is wrong */
  #compare({ seq, hash }: SignedHead, at: number): boolean {
    const link = this.#trail.linkAt(seq)
    if (link === undefined) {
      const ends = at === seq && seq > this.#newestSeq
      this.#find(seq, 'truncated', ends ? `signed, and the chain ends at place ${this.#newestSeq}` : 'signed, and gone')
      return false
    }
    if (Buffer.from(link).toString('hex') === hash) return true
    this.#find(seq, 'head-differs', 'not what the signed head says: the chain up to here was made anew')
    return false
  }

  /** No head comes any more. */
  end(): void {
    const { given, held, before, otherHubs } = this.#counts
    const kept = `before the oldest link that is kept (place ${this.#oldestSeq})`
    const note = (count: number, what: AuditNote['what'], text: string): void => {
      if (count > 0) this.#notes.push({ seq: 0, what, text: `${count} ${text}` })
    }
    note(before, 'head-before', `of the heads given can't be checked: ${kept}`)
    note(this.#insideBefore, 'head-before', "heads in the log can't be checked: they speak of what was let go of")
    note(otherHubs, 'head-other-hub', 'of the heads given are of other hubs and were passed over')
    if (given === 0 || held > 0 || before + otherHubs < given) return
    const why = before > 0 ? `they lie ${kept}` : 'they are of other hubs'
    this.#find(0, 'head-unchecked', `none of the ${given} heads given could be held against the log: ${why}`)
  }

  #isSigned(head: SignedHead): boolean {
    return this.#keys.some((key) => isSignedBy(key, head))
  }

  #find(seq: number, what: AuditFinding['what'], text: string): void {
    this.#findings.settle()
    this.#findings.add(seq, what, text)
    this.#findings.settle()
  }
}
