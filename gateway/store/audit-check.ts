import { createPublicKey, verify } from 'node:crypto'
import { FIRST_LINK, nextLink } from './audit-chain.ts'
import type { Events } from './collect.ts'
import type { GapRun } from './gaps.ts'

/** A signed head of the chain, as `linli.audit.head` says it. */
export interface SignedHead {
  readonly hub: string
  readonly seq: number
  /** The link of that place, in hexadecimal. */
  readonly hash: string
  /** Ed25519 over `headText`, in base64. */
  readonly signature: string
}

/** The event that tells a head. */
export const HEAD_TYPE = 'linli.audit.head'

/** What is signed. */
export function headText({ hub, seq, hash }: Omit<SignedHead, 'signature'>): string {
  return `linli-audit-head-1\n${hub}\n${seq}\n${hash}\n`
}

/** @param key the hub's public key in PEM */
export function isSignedBy(key: string, head: SignedHead): boolean {
  return verify(null, Buffer.from(headText(head)), createPublicKey(key), Buffer.from(head.signature, 'base64'))
}

/** The audit rows and links of a log, in order of place. */
export interface AuditTrail {
  readonly rows: readonly { readonly last: number; readonly events: () => Events | undefined }[]
  readonly links: ReadonlyMap<number, Uint8Array>
  /** Records of what was let go of or lost. */
  readonly gaps: readonly GapRun[]
}

export interface AuditFinding {
  readonly seq: number
  readonly what: 'changed' | 'removed' | 'lost' | 'unlinked' | 'damaged' | 'truncated' | 'head-differs' | 'head-forged'
  readonly text: string
}

export interface AuditVerdict {
  /** Events whose place in the chain is proved. */
  readonly proved: number
  readonly lastSeq: number
  readonly findings: readonly AuditFinding[]
}

/** Follow the chain through a log, and hold it against the heads that stand in it and those that were sent away. */
export function checkTrail(trail: AuditTrail, sent: readonly SignedHead[], key: string | undefined): AuditVerdict {
  const heads: SignedHead[] = [...sent]
  const findings: AuditFinding[] = []
  const find = (seq: number, what: AuditFinding['what'], text: string): void => void findings.push({ seq, what, text })
  const order = [...trail.links.keys()].sort((a, b) => a - b)
  const before = new Map(order.map((seq, n) => [seq, n === 0 ? FIRST_LINK : trail.links.get(order[n - 1]!)!]))
  const held = new Set(trail.rows.map(({ last }) => last))
  let proved = 0
  for (const { last, events } of trail.rows) {
    const link = trail.links.get(last)
    const found = events()
    if (found?.streams[0]?.type === HEAD_TYPE) heads.push(JSON.parse(found.text) as SignedHead)
    if (found === undefined) find(last, 'damaged', 'is not what was written: its CRC is wrong')
    else if (link === undefined) find(last, 'unlinked', 'has no link: an older version wrote it, or somebody put it in')
    else if (nextLink(before.get(last)!, found).equals(link)) proved += 1
    else find(last, 'changed', 'does not follow from what is before it: one was edited, removed, put in or moved')
  }
  const oldest = trail.rows.reduce((least, { last }) => Math.min(least, last), Number.POSITIVE_INFINITY)
  for (const seq of order) {
    if (held.has(seq)) continue
    const reason = trail.gaps.find(({ fromSeq, toSeq }) => fromSeq <= seq && seq <= toSeq)?.reason
    // Only the oldest are let go of. Gap records are no part of the chain: whoever removes a row can write one.
    if (reason === 'evicted' && seq < oldest) continue
    if (reason === undefined) find(seq, 'removed', 'is gone without a record')
    else find(seq, 'lost', `is gone; a gap record says ${reason}, which the chain does not vouch for`)
  }
  for (const head of heads) checkHead(head, { trail, order, key, find })
  return { proved, lastSeq: order.at(-1) ?? 0, findings: findings.sort((a, b) => a.seq - b.seq) }
}

interface HeadCheck {
  readonly trail: AuditTrail
  readonly order: readonly number[]
  readonly key: string | undefined
  readonly find: (seq: number, what: AuditFinding['what'], text: string) => void
}

function checkHead(head: SignedHead, { trail, order, key, find }: HeadCheck): void {
  const { seq, hash } = head
  if (key !== undefined && !isSignedBy(key, head)) {
    find(seq, 'head-forged', 'its head is not signed with the key of this hub')
    return
  }
  const link = trail.links.get(seq)
  if (link !== undefined) {
    if (Buffer.from(link).toString('hex') !== hash) {
      find(seq, 'head-differs', 'is not what the signed head says: the chain up to here was made anew')
    }
    return
  }
  // Let go of before the oldest link that is kept: nothing is left to compare it with.
  if (seq < (order[0] ?? 0)) return
  const text = seq > (order.at(-1) ?? 0) ? 'was signed, and the chain ends before it' : 'was signed, and is gone'
  find(seq, 'truncated', text)
}
