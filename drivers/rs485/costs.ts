import type { SerialSettings } from '../../gateway/contract/io.ts'
import { type Block, type PlanCosts, planBlocks } from './plan.ts'
import type { Profile } from './profile.ts'
import { characterMs, gapMs } from './timing.ts'

/* MODBUS over Serial Line V1.02: a read request has 8 characters, its answer 5 beside the data. */
const REQUEST_CHARACTERS = 8
const ENVELOPE_CHARACTERS = 5
const REGISTER_CHARACTERS = 2
/** From the end of a request to the begin of its answer, as meters of this kind take it. */
const TURNAROUND_MS = 10
const REGISTERS_MAX = 125

/** What reading costs on a serial line. */
export function serialCosts(settings: SerialSettings): PlanCosts {
  const charMs = characterMs(settings)
  return {
    requestMs: (REQUEST_CHARACTERS + ENVELOPE_CHARACTERS) * charMs + TURNAROUND_MS + gapMs(settings),
    registerMs: REGISTER_CHARACTERS * charMs,
    registersMax: REGISTERS_MAX,
  }
}

/** On a network a question costs much more than the registers in it. */
export const NETWORK_COSTS: PlanCosts = { requestMs: 1, registerMs: 0.001, registersMax: REGISTERS_MAX }

/** How long one round of these blocks holds the line. */
export function roundMs(blocks: readonly Block[], { requestMs, registerMs }: PlanCosts): number {
  return blocks.reduce((sum, { table, count }) => {
    const registers = table === 'coil' || table === 'discrete' ? Math.ceil(count / 16) : count
    return sum + requestMs + registers * registerMs
  }, 0)
}

/* DL/T 645-2007 and CJ/T 188-2004: waking bytes, head, address, sum and end, of request and answer together; what they carry comes on top. */
const SUMMED_CHARACTERS: Readonly<Record<'dlt645' | 'cjt188', number>> = { dlt645: 40, cjt188: 38 }
/** From the end of a request to the begin of its answer: 20 to 500 ms are allowed. */
const SUMMED_TURNAROUND_MS = 60

/** How long reading everything once holds a serial line. */
export function airtimeMs(profile: Profile, settings: SerialSettings): number {
  if (profile.protocol === 'modbus') {
    const costs = serialCosts(settings)
    const registersMax = Math.min(costs.registersMax, profile.blockMax)
    return roundMs(planBlocks(profile.points, { ...costs, registersMax }), costs)
  }
  const charMs = characterMs(settings)
  const points: readonly { identifier: string; at: number; bytes: number }[] = profile.points
  return [...Map.groupBy(points, ({ identifier }) => identifier)].reduce((sum, [identifier, ofOne]) => {
    const carried = identifier.length + Math.max(...ofOne.map(({ at, bytes }) => at + bytes))
    const characters = SUMMED_CHARACTERS[profile.protocol] + carried
    return sum + characters * charMs + SUMMED_TURNAROUND_MS + gapMs(settings)
  }, 0)
}
