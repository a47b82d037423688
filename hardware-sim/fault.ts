import { z } from 'zod'
import type { Random } from '../gateway/contract/io.ts'
import type { Meter } from './meter.ts'

const always = {
  /** For so many answers; left out, until it is cleared. */
  times: z.int().positive().optional(),
  /** With this probability for each answer. */
  chance: z.number().gt(0).max(1).optional(),
}
const count = z.int().min(0).max(1000)
const ms = z.number().min(0).max(600_000)

/**
 * What goes wrong on a line, for one meter or for all of them. `wrong-check` damages the CRC or checksum;
 * `half` sends half of the frame and the rest later or never; `wrong-unit` lets another address answer (DL/T 645 and CJ/T
 * 188: one whose lowest byte is another); `refuse` answers with an error code of the protocol (Modbus: the exception code,
 * 6 is busy; DL/T 645: the error word, 1 is other; CJ/T 188: the first byte of the state); `wrong-transaction` (Modbus TCP
 * only) answers with another transaction identifier; `babble` sends chance bytes without an end; `echo` hands the hub its own bytes back, as two-wire adapters do.
 */
export const injectedFault = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('silence'), ...always }),
  z.strictObject({ kind: z.literal('wrong-check'), ...always }),
  z.strictObject({ kind: z.literal('late'), byMs: ms, ...always }),
  z.strictObject({ kind: z.literal('noise'), before: count.default(3), after: count.default(0), ...always }),
  z.strictObject({ kind: z.literal('half'), restAfterMs: ms.optional(), ...always }),
  z.strictObject({ kind: z.literal('wrong-unit'), unit: z.int().min(0).max(255), ...always }),
  z.strictObject({ kind: z.literal('refuse'), code: z.int().min(1).max(255), ...always }),
  z.strictObject({ kind: z.literal('wrong-transaction'), ...always }),
  z.strictObject({ kind: z.literal('babble') }),
  z.strictObject({ kind: z.literal('echo') }),
])
export type InjectedFault = z.infer<typeof injectedFault>

/** The fault in force for one meter or one line, which may use itself up. */
export class FaultSlot {
  #fault: InjectedFault | undefined
  #left = Number.POSITIVE_INFINITY

  set(fault: InjectedFault | undefined): void {
    this.#fault = fault
    this.#left = (fault !== undefined && 'times' in fault ? fault.times : undefined) ?? Number.POSITIVE_INFINITY
  }

  get current(): InjectedFault | undefined {
    return this.#fault
  }

  /** The fault for this answer, counted as used. @param draw uniform in [0, 1) */
  take(draw: () => number): InjectedFault | undefined {
    const fault = this.#fault
    if (fault === undefined) return undefined
    if ('chance' in fault && fault.chance !== undefined && draw() >= fault.chance) return undefined
    this.#left -= 1
    if (this.#left <= 0) this.set(undefined)
    return fault
  }
}

/** What goes on the wire instead of the right answer. Faults of time (late, half) leave the bytes as they are. */
export function spoil(
  meter: Meter,
  request: Uint8Array,
  right: Uint8Array,
  fault: InjectedFault | undefined,
  random: Random,
): Uint8Array {
  switch (fault?.kind) {
    case 'refuse':
      return meter.refuse(request, fault.code)
    case 'wrong-unit':
      return meter.disguise(right, fault.unit)
    case 'noise':
      return Buffer.concat([random.bytes(fault.before), right, random.bytes(fault.after)])
    case 'wrong-check':
      // The last byte but one is part of the check in Modbus RTU (CRC, low byte), DL/T 645 and CJ/T 188 (CS).
      return right.with(-2, right.at(-2)! ^ 0x40)
    default:
      return right
  }
}
