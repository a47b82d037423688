import type { AuditHead } from './audit-chain.ts'
import type { Backup } from './backup.ts'
import type { OpenedClock } from './clock-fixes.ts'
import type { DiskState } from './disk-watch.ts'
import type { Store } from './store.ts'

/** A store that this process opened. */
export interface OpenedStore extends Store {
  /**
   * Rejects when the store has come to its end, by a bug or because its thread died: the process must end, for
   * nothing can be kept any more. Trouble with the disk is not meant: then appends are refused, and the store comes
   * back by itself. Never resolves; where nobody listens, the process ends by the unhandled rejection.
   */
  readonly failed: Promise<never>
  /**
   * The log as it is while it is copied, without holding up commits. The pieces have to be taken, or given up, for no
   * other copy is given meanwhile. Rejects with a Fault of code `backup` when one is being taken.
   */
  backup(): Promise<Backup>
  /** What the log knew of the time when it was opened. */
  readonly clock: OpenedClock
  /** How much room the disk under it has, as it was seen last. */
  disk(): DiskState
  /** Where the chain of the audit events ends. */
  auditHead(): Promise<AuditHead>
}
