/** What the log itself says in the chain of the audit events, for whoever follows it. */

/** A new epoch began. */
export const EPOCH_TYPE = 'linli.log.epoch'

export interface EpochTold {
  readonly epoch: string
  /** The epoch before it, where that is known. */
  readonly before?: string
  /** Up to this place the log holds what was of the epoch before; 0 where it begins with nothing. */
  readonly kept: number
  /** The place that the epoch before is known to have come to. */
  readonly reached?: number
  /** The epoch of the log that stood there, where that was another one: nothing of it is held. */
  readonly replaced?: string
  readonly reason: string
}

/** Audit events that an older version of the program wrote without links were linked. */
export const LINKED_TYPE = 'linli.audit.linked'

export interface LinkedTold {
  readonly fromSeq: number
  readonly toSeq: number
  readonly events: number
  readonly reason: string
}

/** Audit events were let go of. */
export const EVICTED_TYPE = 'linli.audit.evicted'

export interface EvictedTold {
  /** The last place of them. */
  readonly toSeq: number
  readonly events: number
}

/** A damaged row was taken out of the log. */
export const QUARANTINED_TYPE = 'linli.log.quarantined'

/** The settings keep another amount, or for another time, than they did. */
export const RETENTION_TYPE = 'linli.log.retention'
