import type { SerialSettings } from '../../gateway/contract/io.ts'
import type { PlannedRequest } from './meter.ts'
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

/** In how many registers a block travels: sixteen coils have the room of one. */
export function registersOf({ table, count }: Block): number {
  return table === 'coil' || table === 'discrete' ? Math.ceil(count / 16) : count
}

/* DL/T 645-2007 and CJ/T 188-2004: waking bytes, head, address, sum and end, of request and answer together; what they carry comes on top. */
const SUMMED_CHARACTERS: Readonly<Record<'dlt645' | 'cjt188', number>> = { dlt645: 40, cjt188: 38 }
/** From the end of a request to the begin of its answer: 20 to 500 ms are allowed. */
const SUMMED_TURNAROUND_MS = 60

/** How long one request and its answer hold a serial line. */
export function requestMs(
  profile: Profile,
  settings: SerialSettings,
  { what, registers }: Pick<PlannedRequest, 'what' | 'registers'>,
): number {
  if (profile.protocol === 'modbus') {
    const costs = serialCosts(settings)
    return costs.requestMs + registers * costs.registerMs
  }
  const points: readonly { identifier: string; at: number; bytes: number }[] = profile.points
  const ends = points.filter(({ identifier }) => identifier === what).map(({ at, bytes }) => at + bytes)
  const characters = SUMMED_CHARACTERS[profile.protocol] + what.length + Math.max(0, ...ends)
  return characters * characterMs(settings) + SUMMED_TURNAROUND_MS + gapMs(settings)
}

/** How long reading everything once holds a serial line. */
export function airtimeMs(profile: Profile, settings: SerialSettings): number {
  return firstRequests(profile, settings).reduce((sum, request) => sum + requestMs(profile, settings, request), 0)
}

/** What is asked for in a round before a device has refused anything. */
function firstRequests(profile: Profile, settings: SerialSettings): Pick<PlannedRequest, 'what' | 'registers'>[] {
  if (profile.protocol === 'modbus') {
    const costs = serialCosts(settings)
    const registersMax = Math.min(costs.registersMax, profile.blockMax)
    return planBlocks(profile.points, { ...costs, registersMax }).map((block) => ({
      what: '',
      registers: registersOf(block),
    }))
  }
  const points: readonly { identifier: string }[] = profile.points
  return [...new Set(points.map(({ identifier }) => identifier))].map((what) => ({ what, registers: 0 }))
}
