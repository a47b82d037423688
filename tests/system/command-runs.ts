import type { PlainSettings } from '../../hardware-sim/demo/hub.ts'
import { seededRandom } from '../../hardware-sim/random.ts'
import { Community } from './community.ts'
import { eventually } from './eventually.ts'

/** From before the intent is on the disk to after the outcome is: nobody opens the door within its 200 ms, and one second more. */
const KILL_WITHIN_MS = 1600
const BODY = { device: 'gate', verb: 'unlock', within: '20s' }

export interface CommandRunsResult {
  readonly commands: number
  /** How each ended, as its second asking was told. */
  readonly states: Readonly<Record<string, number>>
  /** Commands that moved the lock more than once. */
  readonly twice: readonly string[]
  /** Commands told as executed that moved nothing. */
  readonly idle: readonly string[]
  /** Commands that the log gives no ending, or more than one. */
  readonly endings: readonly string[]
}

/** Ask for a pulse, kill the hub with SIGKILL at a random moment of it, start it again, and ask again with the same key. */
export async function commandRuns(kills: number, seed: number): Promise<CommandRunsResult> {
  const random = seededRandom(seed)
  const community = await Community.start({ seed, door: { id: 'gate' }, life: false }, shortPulses)
  const states: Record<string, number> = {}
  const twice: string[] = []
  const idle: string[] = []
  try {
    let hub = await community.startHub()
    await doorStands(community)
    for (let n = 0; n < kills; n++) {
      const key = `key-${n}`
      const before = await pulsesOf(community)
      const lost = community.client.command(key, BODY).catch(() => undefined)
      await sleep(random.next() * KILL_WITHIN_MS)
      await hub.murder()
      await lost
      hub = await community.startHub()
      await doorStands(community)
      const { state } = await community.client.command(key, BODY)
      states[state] = (states[state] ?? 0) + 1
      const moved = (await pulsesOf(community)) - before
      if (moved > 1) twice.push(`${key}: ${moved}`)
      if (moved === 0 && state === 'executed') idle.push(key)
    }
    return { commands: kills, states, twice, idle, endings: await wrongEndings(community, kills) }
  } finally {
    await community.end()
  }
}

async function wrongEndings(community: Community, commands: number): Promise<readonly string[]> {
  const { events } = await community.client.allEvents()
  const ends = new Map<string, number>()
  for (const { type, data } of events) {
    if (type !== 'linli.command.done' && type !== 'linli.command.refused') continue
    ends.set(String(data.command), (ends.get(String(data.command)) ?? 0) + 1)
  }
  const wrong = [...ends].filter(([, count]) => count !== 1).map(([id, count]) => `${id}: ${count} endings`)
  return ends.size === commands ? wrong : [...wrong, `${ends.size} commands have an ending, of ${commands}`]
}

function shortPulses(settings: PlainSettings): PlainSettings {
  const [gate] = settings.connections as { gpioDoor: object }[]
  const [property] = settings.consumers as object[]
  return {
    ...settings,
    connections: [{ ...gate, gpioDoor: { ...gate?.gpioDoor, unlockFor: '200ms' } }],
    consumers: [{ ...property, commands: [{ verbs: ['unlock'], devices: ['gate'] }] }],
    commands: { perDevice: 6000, inAll: 6000 },
  }
}

async function doorStands({ client }: Community): Promise<void> {
  await eventually(async () => (await client.health()).connections.every(({ state }) => state === 'running'))
}

async function pulsesOf({ simulator }: Community): Promise<number> {
  const { door } = await simulator.report()
  if (door === undefined) throw new Error('this scenario has no door')
  return door.pulses
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
