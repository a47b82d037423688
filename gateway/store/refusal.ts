import { Fault } from '../contract/fault.ts'
import type { Trouble } from './sqlite.ts'

/** What of an error crosses between the threads. */
export interface Refusal {
  readonly message: string
  readonly stack: string | undefined
  /** What it means for the log; undefined together with `fault` for a bug. */
  readonly trouble: Trouble | undefined
  readonly fault:
    | { readonly reach: 'setup' | 'connection'; readonly code: string; readonly hint: string | undefined }
    | undefined
}

/** SQLite could not do what was asked; `trouble` says what that means for the log. */
export class StoreTrouble extends Error {
  readonly trouble: Trouble
  constructor(message: string, trouble: Trouble) {
    super(message)
    this.name = 'StoreTrouble'
    this.trouble = trouble
  }
}

/** The error that a refusal was: a Fault, a StoreTrouble, or a bug with the stack of the other side. */
export function fromRefusal({ message, stack, trouble, fault }: Refusal): Error {
  if (fault !== undefined) {
    const detail = fault.hint === undefined ? { code: fault.code } : { code: fault.code, hint: fault.hint }
    return new Fault(fault.reach, message, detail)
  }
  if (trouble !== undefined) return new StoreTrouble(message, trouble)
  const bug = new Error(message)
  if (stack !== undefined) bug.stack = stack
  return bug
}

/** What callers are told when the log can't do what it promised. */
export function asFault(error: unknown): Error {
  if (!(error instanceof StoreTrouble)) return error as Error
  const full = error.trouble === 'full'
  return new Fault('connection', `the event log can't keep events: ${error.message}`, {
    code: 'store',
    hint: full
      ? 'the disk is full: make room on it, or give storage.maxSize less'
      : 'check the disk (dmesg, mount) and its cable; what was acknowledged before is safe',
    cause: error,
  })
}

export function closedFault(): Fault {
  return new Fault('connection', 'the event log is closed', { code: 'store' })
}
