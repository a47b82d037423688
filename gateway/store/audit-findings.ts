/** What is wrong with a chain of audit events. */
export interface AuditFinding {
  readonly seq: number
  /** The last place of the run, with nothing between that is in order. */
  readonly toSeq: number
  readonly events: number
  readonly what:
    | 'changed'
    | 'removed'
    | 'lost'
    | 'unlinked'
    | 'damaged'
    | 'truncated'
    | 'head-differs'
    | 'head-forged'
    | 'head-unknown'
    | 'head-unchecked'
    | 'torn'
  readonly text: string
}

/** What has to be known to judge a chain, and is no sign that somebody changed it. */
export interface AuditNote {
  readonly seq: number
  readonly what:
    | 'before-the-chain'
    | 'link-missing'
    | 'linked-later'
    | 'epoch'
    | 'evicted'
    | 'head-before'
    | 'head-other-hub'
  readonly text: string
}

/** More are counted and not kept. */
const KEPT_MAX = 1000

/** Gathers findings; the same of neighbours becomes one run. */
export class AuditFindings {
  readonly #kept: AuditFinding[] = []
  #open: AuditFinding | undefined
  #count = 0

  add(seq: number, what: AuditFinding['what'], text: string, events = 1, toSeq = seq): void {
    const open = this.#open
    if (open !== undefined && open.what === what && open.text === text) {
      this.#open = { ...open, toSeq, events: open.events + events }
      return
    }
    this.settle()
    this.#open = { seq, toSeq, events, what, text }
  }

  /** What comes next is no neighbour: something in order lies between. */
  settle(): void {
    if (this.#open === undefined) return
    this.#count += 1
    if (this.#kept.length < KEPT_MAX) this.#kept.push(this.#open)
    this.#open = undefined
  }

  get count(): number {
    return this.#count + (this.#open === undefined ? 0 : 1)
  }

  /** In order of place. */
  all(): readonly AuditFinding[] {
    this.settle()
    return this.#kept.sort((a, b) => a.seq - b.seq)
  }
}
