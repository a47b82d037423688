import { z } from 'zod'
import type { Asker, Command, CommandRecord, CommandRequest, Outcome } from '../../../../gateway/contract/command.ts'
import type { StoredEvent } from '../../../../gateway/contract/event.ts'
import { Desk } from '../../../../gateway/core/desk.ts'
import type { DeskLimits } from '../../../../gateway/core/desk-limits.ts'
import { DeskMemory } from '../../../../gateway/core/desk-memory.ts'
import { createRecorder } from '../../../../gateway/core/recorder.ts'
import { VirtualClock } from '../../../../hardware-sim/clock.ts'
import { MemoryStore } from '../../../contract/memory-store.ts'
import { logInto } from '../upstream/rig.ts'

export const PROPERTY: Asker = { by: 'consumer:property', rights: [{ verbs: ['unlock'], devices: ['gate*'] }] }

/** A request to open the gate; each with a key of its own unless one is given. */
export function unlock(more: Partial<CommandRequest> = {}): CommandRequest {
  keys += 1
  return { device: 'gate', verb: 'unlock', arguments: {}, expect: {}, key: `k${keys}`, withinMs: 10_000, ...more }
}
let keys = 0

const verb = { arguments: z.strictObject({}), expect: z.strictObject({ open: z.boolean().exactOptional() }) }

/** One log, and the lives of the hub on it, with a gate that counts its pulses. */
export class DeskRig {
  readonly clock = new VirtualClock()
  readonly store = new MemoryStore()
  readonly pulses: Command[] = []
  readonly lines: string[] = []
  /** What the gate does with a command. */
  act: (command: Command) => Promise<Outcome> = async () => ({ result: 'executed', effect: { opened: true } })
  serving = true
  /** How long the disk takes. */
  appendMs = 0
  limits: DeskLimits = { perDevice: 30, inAll: 300 }
  lastDesk!: Desk
  #life = new AbortController()

  /** A new life of the hub; the one before is dead and says nothing more. */
  async start(): Promise<Desk> {
    this.#life.abort(new Error('the hub died'))
    this.#life = new AbortController()
    const { signal } = this.#life
    const { clock, lines } = this
    // What a dead hub still wanted to write never reaches the disk.
    const store: Pick<MemoryStore, 'append'> = {
      append: async (batch) => {
        if (this.appendMs > 0) await clock.sleep(this.appendMs)
        return signal.aborted ? new Promise(() => undefined) : this.store.append(batch)
      },
    }
    const recorder = createRecorder({ store, clock, log: logInto(lines), hash: String }, signal)
    const memory = await DeskMemory.recall({ store: this.store, clock, log: logInto(lines) })
    const handler = (command: Command): Promise<Outcome> => {
      if (signal.aborted) return new Promise(() => undefined)
      this.pulses.push(command)
      return this.act(command)
    }
    const served = {
      verbs: { unlock: verb, lock: verb },
      handler: () => (this.serving ? handler : undefined),
    }
    const devices = { served: (device: string) => (device === 'gate' || device === 'gate-2' ? served : undefined) }
    const parts = { devices, recorder, clock, log: logInto(lines), idOf: (text: string) => `id of ${text}` }
    this.lastDesk = new Desk({ ...parts, limits: this.limits, signal }, memory)
    return this.lastDesk
  }

  die(): void {
    this.#life.abort(new Error('the hub died'))
  }

  /** Type and body of every event of the log that is about commands. */
  async told(): Promise<
    readonly (Pick<StoredEvent, 'type' | 'source'> & { readonly data: Record<string, unknown> })[]
  > {
    const { entries } = await this.store.read({ after: { epoch: 'e1', seq: 0 }, limit: 10_000 })
    return entries.flatMap((entry) =>
      entry.kind === 'event' ? [{ type: entry.type, source: entry.source, data: JSON.parse(entry.body) }] : [],
    )
  }
}

/** What a command has come to, in one line. */
export function ending({ outcome, refusal }: CommandRecord): string {
  const reason = outcome !== undefined && 'reason' in outcome ? `: ${outcome.reason}` : ''
  return `${refusal === undefined ? '' : `refused (${refusal}), `}${outcome?.result ?? 'executing'}${reason}`
}
