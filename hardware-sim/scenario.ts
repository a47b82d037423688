import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { z } from 'zod'
import { duration, name } from '../gateway/contract/units.ts'
import { command } from './command.ts'
import { injectedFault } from './fault.ts'

const NAMES_MAX = 1000
const profile = z.union([z.string(), z.record(z.string(), z.unknown())], {
  error: 'maker/model of config/profiles, or a whole profile, is wanted',
})
const every = z.string().regex(/^\d+(\.\d+)?(ms|s|m|h)$/, 'a duration such as 10s is wanted')

const ADDRESS = 'a unit from 1 to 247 is wanted, or twelve (DL/T 645) or fourteen digits (CJ/T 188) in quotes'
const framing = {
  baud: z.int().min(300).max(921_600),
  parity: z.enum(['none', 'even', 'odd']),
  stopBits: z.union([z.literal(1), z.literal(2)]),
}

const meter = z.strictObject({
  id: name,
  /** `maker/model`, or a whole profile, which is written beside the settings as a site's own. */
  profile: profile.default('eastron/sdm630'),
  /** Modbus unit identifier, or what is written on a meter of DL/T 645 or CJ/T 188. */
  address: z.union(
    [z.int().min(1, ADDRESS).max(247, ADDRESS), z.string().regex(/^(\d{12}|\d{14})$/, ADDRESS)],
    ADDRESS,
  ),
  /** How its interface is set, where that is not as the line. */
  serial: z
    .strictObject({
      baud: framing.baud.exactOptional(),
      dataBits: z.union([z.literal(7), z.literal(8)]).exactOptional(),
      parity: framing.parity.exactOptional(),
      stopBits: framing.stopBits.exactOptional(),
    })
    .exactOptional(),
  /** How often the hub shall read it. */
  every: every.default('5s'),
  /** Left out, 5 for Modbus and 20 for the others. */
  turnaroundMs: z.number().min(0).max(10_000).exactOptional(),
  /** Modbus. */
  strictAddresses: z.boolean().default(false),
  registersMax: z.int().min(1).max(125).exactOptional(),
  /** DL/T 645 and CJ/T 188: how many FEH go before an answer. */
  wakeBytes: z.int().min(0).max(4).exactOptional(),
  /** DL/T 645: a value that is longer comes in several frames. */
  frameBytesMax: z.int().min(1).max(195).exactOptional(),
  /** DL/T 645: level and six digits, such as "02123456". */
  password: z
    .string()
    .regex(/^\d{8}$/, 'eight digits are wanted, two of the level and six of the password')
    .exactOptional(),
  /** DL/T 645: by how much a broadcast may set its clock. */
  setWithin: duration.exactOptional(),
  /** CJ/T 188: says nothing to who asks in the other order of the identifier. */
  ownOrderOnly: z.boolean().default(false),
  /** CJ/T 188: answers 00 for SER. */
  zeroSer: z.boolean().default(false),
  /** What is wrong with it from the start. `{ kind: silence }` is a dead meter. */
  fault: injectedFault.optional(),
})
export type ScenarioMeter = z.infer<typeof meter>

const line = z.strictObject({
  id: name,
  baud: framing.baud.default(9600),
  parity: framing.parity.default('none'),
  stopBits: framing.stopBits.default(1),
  /** Meters drop a request that begins within 3.5 characters of an answer. */
  strict: z.boolean().default(false),
  meters: z.array(meter).max(247),
  fault: injectedFault.optional(),
})

const host = z.strictObject({
  id: name,
  port: z.int().min(0).max(65_535).default(0),
  turnaroundMs: z.number().min(0).max(10_000).default(2),
  meters: z.array(meter).min(1).max(247),
})

const life = z.strictObject({
  /** Between two people at the door, on average. */
  visitEvery: duration.prefault('12s'),
  /** Between two movements before the camera that go past the door, on average. */
  motionEvery: duration.prefault('9s'),
})

export const scenario = z.strictObject({
  /** Every chance in this world follows from it. */
  seed: z.int().min(0).max(0xffff_ffff).default(1),
  hub: z.strictObject({ id: name.default('hub-01'), name: z.string().default('阳光花园 3 号楼') }).prefault({}),
  /** Deadlines to 0.05 ms instead of 1 ms, for measuring; costs processor time. */
  fineTime: z.boolean().default(false),
  lines: z.array(line).max(32).default([]),
  modbusTcp: z.array(host).max(32).default([]),
  door: z.union([z.literal(false), z.strictObject({ id: name.default('gate') })]).default(false),
  camera: z
    .union([z.literal(false), z.strictObject({ id: name.default('cam-lobby'), port: z.int().default(0) })])
    .default(false),
  broker: z
    .union([z.literal(false), z.strictObject({ id: name.default('city'), port: z.int().default(0) })])
    .prefault({}),
  life: z.union([z.literal(false), life]).default(false),
  /** Where the hub's own interface shall listen. */
  api: z.strictObject({ listen: z.string().default('127.0.0.1:0') }).prefault({}),
  /** Commands at their time after the start, as they could be given on standard input. */
  script: z
    .array(z.strictObject({ at: duration, command }))
    .max(NAMES_MAX)
    .default([]),
})
export type Scenario = z.infer<typeof scenario>

/** A scenario that can't be run, with a message for the person who wrote it. */
export class ScenarioError extends Error {}

/**
 * A scenario from a YAML or JSON text.
 * @throws ScenarioError that lists every mistake with its path.
 */
export function parseScenario(text: string): Scenario {
  let value: unknown
  try {
    value = parse(text)
  } catch (cause) {
    throw new ScenarioError(`the scenario is not YAML: ${(cause as Error).message}`)
  }
  const result = scenario.safeParse(value ?? {})
  if (!result.success) throw new ScenarioError(`the scenario has mistakes:\n${z.prettifyError(result.error)}`)
  return result.data
}

export function loadScenario(path: string): Scenario {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    throw new ScenarioError(`the scenario ${path} can't be read: ${(cause as Error).message}`)
  }
  return parseScenario(text)
}

/** A building's cellar, a plant room, a gate and a camera. @param options.deadMeter one meter on line-1 never answers. */
export function defaultScenario(options: { readonly deadMeter?: boolean } = {}): Scenario {
  const flats = [301, 302, 303, 304, 305, 306].map((flat, i) => ({
    id: `meter-${flat}`,
    address: i + 1,
    ...(options.deadMeter === true && flat === 304 ? { fault: { kind: 'silence' } } : {}),
  }))
  return scenario.parse({
    lines: [
      { id: 'line-1', baud: 9600, meters: flats },
      {
        id: 'line-2',
        baud: 19_200,
        parity: 'even',
        meters: ['lift', 'lobby-light', 'charger'].map((id, i) => ({ id, address: i + 1, every: '2s' })),
      },
    ],
    modbusTcp: [
      {
        id: 'plant',
        meters: ['pump-1', 'pump-2', 'fan-1', 'boiler'].map((id, i) => ({ id, address: i + 1, every: '1s' })),
      },
    ],
    door: {},
    camera: {},
    broker: {},
    life: {},
  })
}
