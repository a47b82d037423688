import { closeSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { HubEvent } from '../../../hardware-sim/demo/client.ts'
import type { PlainSettings } from '../../../hardware-sim/demo/hub.ts'
import { Community, tcpMeters } from '../community.ts'
import { eventually } from '../eventually.ts'
import { FaultyDisk } from '../faulty-disk/faulty-disk.ts'
import { atEnd } from '../kept.ts'
import { needs, needsRoot } from '../needs.ts'
import { Ext4Disk } from './ext4.ts'

const DISK_BYTES = 8_000_000
/** Of the ballast of a log on such a disk; a hub makes it a minute after its start, which is too long here. */
const BALLAST_BYTES = 500_000
/** So many events are kept in memory (`core/recorder.ts`). */
const VOLATILE_MAX = 2000
const UNLOCK = { device: 'gate', verb: 'unlock', within: '10s' }

/** A door whose platform may open it, and the log where a test wants it. */
function settingsFor(change: (settings: PlainSettings) => PlainSettings) {
  return (settings: PlainSettings): PlainSettings => {
    const [property] = settings.consumers as object[]
    return change({
      ...settings,
      consumers: [{ ...property, commands: [{ verbs: ['unlock'], devices: ['gate'] }] }],
      commands: { perDevice: 6000, inAll: 6000 },
    })
  }
}

const isReading = ({ type }: HubEvent): boolean => type === 'linli.meter.reading'
const placeOf = ({ linliseq = 0 }: HubEvent): number => linliseq

/** What of `before` the log has no more, or otherwise, where it does not say that it let it go. */
function lostOf(before: readonly HubEvent[], after: readonly HubEvent[]): readonly number[] {
  const there = new Map(after.map((event) => [event.linliseq, JSON.stringify(event)]))
  const gone = after.flatMap(({ type, data }) => (type === 'linli.log.gap' ? [data as unknown as Gap] : []))
  const announced = (seq: number) => gone.some(({ fromSeq, toSeq }) => fromSeq <= seq && seq <= toSeq)
  return before
    .filter(({ linliseq }) => linliseq !== undefined)
    .filter((event) => !announced(placeOf(event)))
    .filter((event) => there.get(event.linliseq) !== JSON.stringify(event))
    .map(placeOf)
}

interface Gap {
  readonly fromSeq: number
  readonly toSeq: number
}

/** Take all that there is, to the last block. */
function fillUp(path: string): void {
  const file = openSync(path, 'w')
  const block = Buffer.alloc(64 * 1024, 1)
  for (let bytes = block.length; bytes >= 512; ) {
    try {
      writeSync(file, block, 0, bytes)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
      bytes /= 2
    }
  }
  closeSync(file)
}

/** The lock, the way of a fire, without anything that has to be kept first. */
async function fireOpensTheDoor({ simulator }: Community): Promise<void> {
  await simulator.ask({ do: 'door', act: 'fire' })
  await eventually(async () => (await simulator.report()).door?.released === true)
  await simulator.ask({ do: 'door', act: 'fire-over' })
  await eventually(async () => (await simulator.report()).door?.released === false)
}

test('somebody fills the 8 MB disk of a hub: meters, doors and commands go on, and it says so', {
  ...needsRoot('mkfs.ext4'),
  timeout: 90_000,
}, async () => {
  const disk = new Ext4Disk(DISK_BYTES)
  atEnd(async () => disk.remove())
  const path = join(disk.folder, 'hub.db')
  const scenario = { door: { id: 'gate' }, modbusTcp: [tcpMeters(10, '50ms')], broker: false }
  const place = await Community.start(
    scenario,
    settingsFor((settings) => ({ ...settings, storage: { ...(settings.storage as object), path } })),
  )
  atEnd(() => place.end())
  writeFileSync(`${path}-ballast`, Buffer.alloc(BALLAST_BYTES, 1))
  const { client, simulator } = place
  await place.startHub()
  await eventually(async () => (await client.health()).log.lastSeq > 200)
  expect((await client.health()).log.disk).not.toBe('full')
  const before = await client.allEvents()

  const somebodyElse = join(disk.folder, 'somebody-else')
  fillUp(somebodyElse)
  const full = await eventually(async () => {
    const now = await client.health()
    return now.log.disk === 'full' ? now : undefined
  }, 40_000)
  expect(full.ok).toBe(false)
  const { lastSeq } = full.log
  const pulses = (await simulator.report()).door?.pulses ?? 0
  expect(await client.command('full-1', UNLOCK)).toMatchObject({ state: 'executed' })
  expect((await simulator.report()).door?.pulses).toBe(pulses + 1)
  await eventually(async () => (await client.health()).log.lastSeq > lastSeq + 200)
  expect((await client.health()).log.volatileEvents).toBe(0)
  const { events } = await client.allEvents()
  expect(events.filter(({ type }) => type === 'linli.log.disk').map(({ data }) => data.state)).toContain('full')
  expect(lostOf(before.events, events)).toEqual([])

  rmSync(somebodyElse)
  await eventually(async () => (await client.health()).log.disk !== 'full', 70_000)
})

test('a disk that takes nothing for a while: what comes waits in memory, bounded, and is told of when it overflows', {
  ...needs('cc'),
  timeout: 120_000,
}, async () => {
  const faulty = new FaultyDisk()
  atEnd(async () => faulty.remove())
  const { environment, begin, end } = faulty.switched('sync:-wal:1-1000000:EIO')
  const scenario = { door: { id: 'gate' }, modbusTcp: [tcpMeters(40, '50ms')], broker: false }
  const place = await Community.start(
    scenario,
    settingsFor((settings) => settings),
  )
  atEnd(() => place.end())
  const { client, simulator } = place
  await place.startHub({ environment })
  await eventually(async () => (await client.health()).log.lastSeq > 200)
  expect(await client.health()).toMatchObject({ log: { volatileEvents: 0 } })
  const before = await client.allEvents()

  begin()
  const broken = await eventually(async () => {
    const now = await client.health()
    return now.log.volatileEvents > 0 ? now : undefined
  })
  expect(broken.ok).toBe(false)
  await fireOpensTheDoor(place)
  // What must be kept before it is done is not done, and nobody is told that it was.
  const pulses = (await simulator.report()).door?.pulses
  await expect(client.command('broken-1', UNLOCK)).rejects.toThrow('503')
  expect((await simulator.report()).door?.pulses).toBe(pulses)
  await eventually(async () => (await client.health()).log.volatileEvents === VOLATILE_MAX, 30_000)
  await eventually(async () => /^linli_volatile_dropped_total [1-9]/m.test(await client.metrics()))
  expect((await client.health()).log).toMatchObject({ volatileEvents: VOLATILE_MAX, epoch: broken.log.epoch })
  expect(await client.metrics()).toContain(`linli_volatile_events ${VOLATILE_MAX}`)

  end()
  await eventually(async () => (await client.health()).log.volatileEvents === 0, 60_000)
  const { events } = await client.allEvents()
  expect(lostOf(before.events, events)).toEqual([])
  const told = events.filter(({ type }) => type === 'linli.log.lost')
  expect(told.length).toBeGreaterThan(0)
  expect(Number(told[0]?.data.count)).toBeGreaterThan(0)
  // Of one meter in the order in which they were read, from before the loss to after it.
  const times = events
    .filter(isReading)
    .filter(({ source }) => source.endsWith('/meter-1'))
    .map(({ time }) => Date.parse(time ?? ''))
  expect(times).toEqual([...times].sort((a, b) => a - b))
  expect(await client.command('well-again', UNLOCK)).toMatchObject({ state: 'executed' })
})
