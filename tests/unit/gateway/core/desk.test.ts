import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { CommandRequest, Outcome } from '../../../../gateway/contract/command.ts'
import { Fault } from '../../../../gateway/contract/fault.ts'
import { DeskFull, KeyUsed } from '../../../../gateway/core/desk.ts'
import { DeskRig, ending, PROPERTY, unlock } from './desk-rig.ts'

test('intent, act and outcome: each is durable before the next', async () => {
  const rig = new DeskRig()
  const desk = await rig.start()
  const before: string[] = []
  rig.act = async () => {
    before.push(...(await rig.told()).map(({ type }) => type))
    return { result: 'executed', effect: { opened: true } }
  }
  const record = await desk.request(PROPERTY, unlock({ key: 'k-1', expect: { open: false } })).done
  expect(before).toEqual(['linli.command.received'])
  expect(record).toEqual({
    id: 'id of consumer:property k-1',
    by: 'consumer:property',
    device: 'gate',
    verb: 'unlock',
    receivedMs: Date.UTC(2026, 10, 23, 8),
    outcome: { result: 'executed', effect: { opened: true } },
  })
  const id = record.id
  const by = 'consumer:property'
  expect(await rig.told()).toEqual([
    {
      type: 'linli.command.received',
      source: 'devices/gate',
      data: { command: id, by, verb: 'unlock', key: 'k-1', withinMs: 10_000, expect: { open: false } },
    },
    {
      type: 'linli.command.done',
      source: 'devices/gate',
      data: { command: id, by, verb: 'unlock', result: 'executed', effect: { opened: true } },
    },
  ])
  expect(rig.pulses).toMatchObject([{ id, device: 'gate', expect: { open: false }, deadlineMonoMs: 10_000, by }])
})

test('the same key never acts twice: not at once, not later, not in the next life; for something else it is refused', async () => {
  const rig = new DeskRig()
  let desk = await rig.start()
  const asked = unlock({ key: 'once' })
  const both = await Promise.all([desk.request(PROPERTY, asked).done, desk.request(PROPERTY, asked).done])
  expect(both[0]).toBe(both[1])
  expect(await desk.request(PROPERTY, asked).done).toEqual(both[0])
  expect(() => desk.request(PROPERTY, { ...asked, device: 'gate-2' })).toThrow(KeyUsed)
  expect(() => desk.request(PROPERTY, { ...asked, expect: { open: true } })).toThrow(KeyUsed)
  desk = await rig.start()
  expect(await desk.request(PROPERTY, asked).done).toEqual(both[0])
  expect(() => desk.request(PROPERTY, { ...asked, verb: 'lock' })).toThrow(KeyUsed)
  expect(rig.pulses).toHaveLength(1)
  // The same word of somebody else is another key.
  await desk.request({ ...PROPERTY, by: 'upstream:city' }, asked).done
  expect(rig.pulses).toHaveLength(2)
})

test('what the desk refuses reaches no driver, is in the log once, and stays refused', async () => {
  const rig = new DeskRig()
  const desk = await rig.start()
  const cases: [CommandRequest, string][] = [
    [
      unlock({ verb: 'lock' }),
      'refused (right), rejected: consumer:property may not lock gate; `commands` in its settings says what it may',
    ],
    [unlock({ device: 'gate-9' }), 'refused (device), rejected: there is no device gate-9'],
    [unlock({ arguments: { for: 5 } }), 'refused (arguments), rejected: arguments: Unrecognized key: "for"'],
    [
      unlock({ expect: { open: 'no' } }),
      'refused (arguments), rejected: expect.open: Invalid input: expected boolean, received string',
    ],
    [unlock({ issuedMs: rig.clock.wallMs() - 10_001 }), 'refused (deadline), expired'],
    [
      unlock({ issuedMs: rig.clock.wallMs() + 5001 }),
      'refused (issued), rejected: it was issued 5 s in the future: one of the clocks is wrong',
    ],
  ]
  for (const [request, said] of cases) {
    expect(ending(await desk.request(PROPERTY, request).done)).toBe(said)
    expect(ending(await desk.request(PROPERTY, request).done)).toBe(said)
  }
  const all = { by: 'rule:fire', rights: [{ verbs: ['*'], devices: ['*'] }] }
  expect(ending(await desk.request(all, unlock({ verb: 'open' })).done)).toBe(
    'refused (verb), rejected: gate knows no open; there are unlock, lock',
  )
  expect(rig.pulses).toEqual([])
  const told = await rig.told()
  expect(told.map(({ type }) => type)).toEqual(Array.from({ length: 7 }, () => 'linli.command.refused'))
  // An event is about no device that is only a word in a request.
  expect(told[1]).toMatchObject({ source: '', data: { device: 'gate-9', refusal: 'device' } })
  const next = await rig.start()
  for (const [request, said] of cases) expect(ending(await next.request(PROPERTY, request).done)).toBe(said)
})

test('the deadline counts from when it was issued, on a clock that does not jump, and the disk may take all of it', async () => {
  const rig = new DeskRig()
  const desk = await rig.start()
  await desk.request(PROPERTY, unlock({ issuedMs: rig.clock.wallMs() - 4000 })).done
  expect(rig.pulses[0]?.deadlineMonoMs).toBe(rig.clock.monoMs() + 6000)

  rig.appendMs = 2001
  const late = desk.request(PROPERTY, unlock({ withinMs: 2000 })).done
  rig.clock.jumpWall(-3_600_000)
  await rig.clock.advance(5000)
  expect(ending(await late)).toBe('expired')
  expect(rig.pulses).toHaveLength(1)
})

test('while the clock is not set nobody can say how old a command is that was on its way', async () => {
  const rig = new DeskRig()
  const desk = await rig.start()
  rig.clock.jumpWall(0, 'unsynced')
  expect(ending(await desk.request(PROPERTY, unlock({ issuedMs: rig.clock.wallMs() })).done)).toContain(
    'refused (issued)',
  )
  expect(ending(await desk.request(PROPERTY, unlock()).done)).toBe('executed')
})

test('a storage that takes nothing: nothing is done, and the same key may try again', async () => {
  const rig = new DeskRig()
  const desk = await rig.start()
  rig.store.trouble = new Fault('connection', 'disk I/O error', { code: 'store' })
  const asked = unlock()
  await expect(desk.request(PROPERTY, asked).done).rejects.toThrow('disk I/O error')
  expect(rig.pulses).toEqual([])
  expect(desk.find(`id of consumer:property ${asked.key}`)).toBeUndefined()
  rig.store.trouble = undefined
  expect(ending(await desk.request(PROPERTY, asked).done)).toBe('executed')
})

test('an outcome that the storage does not take is not told before it does', async () => {
  const rig = new DeskRig()
  const desk = await rig.start()
  rig.act = async () => {
    rig.store.trouble = new Fault('connection', 'disk I/O error', { code: 'store' })
    return { result: 'executed' }
  }
  const { id, done } = desk.request(PROPERTY, unlock())
  let told = false
  void done.then(() => {
    told = true
  })
  await rig.clock.advance(10_000)
  expect([told, desk.find(id)?.outcome]).toEqual([false, undefined])
  rig.store.trouble = undefined
  await rig.clock.advance(1000)
  expect(ending(await done)).toBe('executed')
  expect(rig.pulses).toHaveLength(1)
})

test('a driver that throws, says nothing, or is not there', async () => {
  const rig = new DeskRig()
  const desk = await rig.start()
  rig.act = async () => {
    throw new Fault('device', 'the chip is gone')
  }
  expect(ending(await desk.request(PROPERTY, unlock()).done)).toBe('unknown: the chip is gone')
  rig.act = () => new Promise(() => undefined)
  const silent = desk.request(PROPERTY, unlock()).done
  await rig.clock.advance(60_000)
  expect(ending(await silent)).toBe('unknown: the device did not answer within 60 s')
  rig.serving = false
  expect(ending(await desk.request(PROPERTY, unlock()).done)).toBe(
    'rejected: the connection of this device does not run now',
  )
})

test('a flood ends at the limits of the device and of all, and says when to come again', async () => {
  const rig = new DeskRig()
  rig.limits = { perDevice: 3, inAll: 5 }
  const desk = await rig.start()
  const ask = async (device: string): Promise<string> => ending(await desk.request(PROPERTY, unlock({ device })).done)
  const first = [await ask('gate'), await ask('gate'), await ask('gate'), await ask('gate')]
  expect(first).toEqual([
    'executed',
    'executed',
    'executed',
    'refused (rate), rejected: too many commands for this device; the next one may come in 20000 ms',
  ])
  expect([await ask('gate-2'), await ask('gate-2'), await ask('gate-2')]).toEqual([
    'executed',
    'executed',
    'refused (rate), rejected: too many commands for all devices; the next one may come in 12000 ms',
  ])
  await rig.clock.advance(20_000)
  expect(await ask('gate')).toBe('executed')
  expect(rig.pulses).toHaveLength(6)
})

test('more at once than can be under way: refused without a record', async () => {
  const rig = new DeskRig()
  rig.limits = { perDevice: 1000, inAll: 1000 }
  rig.act = () => new Promise(() => undefined)
  const desk = await rig.start()
  for (let n = 0; n < 64; n++) desk.request(PROPERTY, unlock())
  expect(() => desk.request(PROPERTY, unlock())).toThrow(DeskFull)
})

test('a day later a command is forgotten, and the next start does not read it any more', async () => {
  const rig = new DeskRig()
  const desk = await rig.start()
  const { id, done } = desk.request(PROPERTY, unlock())
  await done
  await rig.clock.advance(86_400_001)
  await desk.request(PROPERTY, unlock({ key: 'young' })).done
  expect(desk.find(id)).toBeUndefined()
  expect(rig.store.cursors.get('hub:desk audit')?.seq ?? (await rig.store.cursor('hub:desk', ['audit']))?.seq).toBe(1)
  const next = await rig.start()
  expect(next.find('id of consumer:property young')?.outcome).toEqual({ result: 'executed', effect: { opened: true } })
})

interface LifePlan {
  readonly key: string
  readonly appendMs: number
  readonly actMs: number
  readonly livesMs: number
  readonly jumpMs: number
}

const lifePlan: fc.Arbitrary<LifePlan> = fc.record({
  key: fc.constantFrom('a', 'b', 'c'),
  appendMs: fc.integer({ min: 0, max: 300 }),
  actMs: fc.integer({ min: 0, max: 300 }),
  livesMs: fc.integer({ min: 1, max: 1200 }),
  jumpMs: fc.constantFrom(0, 315_360_000_000, -315_360_000_000),
})

/** One command in a life that ends at any moment. @returns the ids of those that the driver got too late */
async function oneLife(rig: DeskRig, { key, appendMs, actMs, livesMs, jumpMs }: LifePlan): Promise<readonly string[]> {
  const late: string[] = []
  rig.appendMs = appendMs
  rig.act = async (command): Promise<Outcome> => {
    if (rig.clock.monoMs() > command.deadlineMonoMs) late.push(command.id)
    await rig.clock.sleep(actMs)
    return { result: 'executed' }
  }
  const starting = rig.start()
  await rig.clock.advance(0)
  const desk = await starting
  void desk.request(PROPERTY, unlock({ key, withinMs: 250 })).done.catch(() => undefined)
  await rig.clock.advance(livesMs)
  rig.clock.jumpWall(jumpMs)
  rig.die()
  return late
}

/** C1, C2 and C8 of the invariants: a crash between any two steps, and whoever asked asks again. */
test('crashes anywhere: at most one pulse and exactly one ending for each key, none after its time', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(lifePlan, { minLength: 1, maxLength: 8 }), async (lives) => {
      const rig = new DeskRig()
      for (const life of lives) expect(await oneLife(rig, life)).toEqual([])
      rig.appendMs = 0
      const last = await rig.start()
      await rig.clock.advance(1)
      await last.settled()
      const pulsed = rig.pulses.map(({ id }) => id)
      expect(new Set(pulsed).size).toBe(pulsed.length)
      const told = await rig.told()
      const ids = (type: string) => told.filter((event) => event.type === type).map(({ data }) => data.command)
      const ends = ids('linli.command.done')
      expect(new Set(ends).size).toBe(ends.length)
      expect([...new Set(ids('linli.command.received'))].sort()).toEqual([...ends].sort())
      for (const id of pulsed) expect(ends).toContain(id)
    }),
    { numRuns: 300 },
  )
})
