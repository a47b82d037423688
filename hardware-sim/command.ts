import { z } from 'zod'
import { injectedFault } from './fault.ts'

const id = z.string().min(1).max(63)

/** What a running world can be told to do, one JSON object a line. `what` is the id of a line, host or meter, `broker` or `camera`. */
export const command = z.discriminatedUnion('do', [
  /** Drop every connection of the broker, the camera or a Modbus TCP host and close its port; unplug a line's adapter. */
  z.strictObject({ do: z.literal('cut'), what: id }),
  /** Bring back what was cut, under the same address. */
  z.strictObject({ do: z.literal('restore'), what: id }),
  /** A meter says nothing any more. */
  z.strictObject({ do: z.literal('silence'), meter: id }),
  /** Something is wrong with a meter, a whole line or host; `null`: well again. */
  z.strictObject({ do: z.literal('fault'), what: id, fault: injectedFault.nullable() }),
  /** The broker behaves in another way. */
  z.strictObject({
    do: z.literal('broker'),
    manner: z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.enum(['well', 'mute', 'withhold', 'refuse']) }),
      z.strictObject({ kind: z.literal('slow'), pubackMs: z.number().min(0).max(600_000) }),
    ]),
  }),
  /** The platform says something to the hub. */
  z.strictObject({
    do: z.literal('publish'),
    topic: z.string().min(1).max(1000),
    payload: z.string().max(65_536),
    retain: z.boolean().default(false),
  }),
  /**
   * Somebody at the door: presses the exit button, pulls the handle, shuts it, goes through, breaks it open; or the
   * fire panel asks for it, and no longer. Answered when it is done, with `passed` where the lock had a say.
   */
  z.strictObject({
    do: z.literal('door'),
    act: z.enum(['exit', 'open', 'shut', 'visit', 'force', 'fire', 'fire-over']),
  }),
  z.strictObject({ do: z.literal('motion'), active: z.boolean() }),
  /** The account: what reached the broker, what each line carried, how the door stands. `reset` begins the lines' anew. */
  z.strictObject({ do: z.literal('report'), reset: z.boolean().default(false) }),
  z.strictObject({ do: z.literal('end') }),
])
export type WorldCommand = z.input<typeof command>
