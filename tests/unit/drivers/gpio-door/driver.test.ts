import { expect, test } from 'vitest'
import { gpioDoor } from '../../../../drivers/gpio-door/gpio-door.ts'
import { DOOR_LINES } from '../../../../hardware-sim/door-panel.ts'
import { Rig, WIRING } from './rig.ts'

test('somebody leaves: button, door, and the lock falls back when it is shut; bounces are no openings', async () => {
  const rig = new Rig()
  const life = await rig.start()
  const out = await rig.during(rig.panel.visit(), 10_000)
  expect(out).toBe(true)
  expect(life.told).toEqual([
    'door.state locked',
    'door.unlocked exit-button',
    'door.state unlocked',
    'door.state open',
    'door.state locked',
  ])
  expect(life.seen[0]?.data).toMatchObject({ cause: 'start', found: true, failMode: 'secure', released: false })
  expect(life.seen[1]).toMatchObject({ class: 'audit', privacy: 'public', device: 'gate', monoMs: 0 })
  expect(rig.panel.history.map(({ level }) => level)).toEqual([1, 0])
  await life.stop()
})

test('the lock has its level in the very turn in which the edge is heard, whatever the disk does', async () => {
  const rig = new Rig()
  const life = await rig.start()
  life.stuck = new Promise(() => undefined)
  void rig.panel.pressExit()
  await Promise.resolve()
  await Promise.resolve()
  expect(rig.panel.state().released).toBe(true)
  // The disk stays away for good: pulses begin and end all the same.
  await rig.clock.advance(6000)
  expect(rig.panel.state().released).toBe(false)
  rig.panel.fire(true)
  await rig.clock.advance(0)
  expect(rig.panel.state().released).toBe(true)
  await life.stop()
})

test('a door that is opened by force is an alarm, one that stays open another', async () => {
  const rig = new Rig()
  const life = await rig.start()
  expect(await rig.panel.openDoor()).toBe(false)
  await rig.during(rig.panel.force(), 100)
  expect(life.told.slice(1)).toEqual(['door.forced', 'door.state forced'])
  await rig.during(rig.panel.shutDoor(), 100)
  void rig.panel.pressExit()
  await rig.clock.advance(500)
  await rig.during(rig.panel.openDoor(), 31_000)
  expect(life.told.slice(-2)).toEqual(['door.held', 'door.state held'])
  const alarms = life.seen.filter(({ class: kind }) => kind === 'alarm')
  expect(alarms.map(({ type, data }) => [type, data])).toEqual([
    ['linli.door.forced', {}],
    ['linli.door.held', { seconds: 30 }],
  ])
  await life.stop()
})

test('the cover is an alarm when it is taken off, and told when it is back', async () => {
  const rig = new Rig()
  const life = await rig.start()
  rig.panel.cover(true)
  await rig.clock.advance(100)
  rig.panel.cover(false)
  await rig.clock.advance(100)
  expect(life.told.slice(1)).toEqual([
    'door.tampered true',
    'door.state tampered',
    'door.tampered false',
    'door.state locked',
  ])
  await life.stop()
})

test('the fire panel releases at once and for as long as it asks; meanwhile nothing locks the door', async () => {
  const rig = new Rig()
  const life = await rig.start()
  rig.panel.fire(true)
  await rig.clock.advance(0)
  expect(rig.panel.state().released).toBe(true)
  expect(await life.command('lock')).toEqual({
    result: 'rejected',
    reason: 'the fire panel holds the door released',
  })
  await rig.clock.advance(600_000)
  expect(rig.panel.state().released).toBe(true)
  rig.panel.fire(false)
  await rig.clock.advance(1000)
  expect(rig.panel.state().released).toBe(false)
  expect(life.told.slice(1)).toEqual([
    'fire.active',
    'door.unlocked fire',
    'door.state unlocked',
    'fire.cleared',
    'door.state locked',
  ])
  await life.stop()
})

test('a fire that burns when the hub starts releases the door, marked as found', async () => {
  const rig = new Rig()
  rig.panel.fire(true)
  const life = await rig.start()
  expect(rig.panel.state().released).toBe(true)
  expect(life.told).toEqual(['fire.active', 'door.unlocked fire', 'door.state unlocked'])
  expect(life.seen.map(({ data }) => data.found)).toEqual([true, true, true])
  await life.stop()
})

test('a command opens the door, names who asked, and answers as soon as somebody goes through', async () => {
  const rig = new Rig()
  const life = await rig.start()
  const outcome = life.command('unlock')
  await rig.clock.advance(2000)
  await rig.during(rig.panel.openDoor(), 100)
  expect(await outcome).toEqual({ result: 'executed', effect: { opened: true } })
  expect(life.seen.find(({ type }) => type === 'linli.door.unlocked')).toMatchObject({
    class: 'audit',
    privacy: 'personal',
    data: { cause: 'command', by: 'property', command: 'c1' },
  })
  await life.stop()
})

test('when nobody comes the answer says so once the lock has fallen back', async () => {
  const rig = new Rig()
  const life = await rig.start()
  const outcome = life.command('unlock')
  await rig.clock.advance(5900)
  expect(await Promise.race([outcome, Promise.resolve('waits')])).toBe('waits')
  await rig.clock.advance(200)
  expect(await outcome).toEqual({ result: 'executed', effect: { opened: false } })
  expect(rig.panel.state()).toMatchObject({ released: false, pulses: 1 })
  await life.stop()
})

test('a door without a contact does not say what it can not see', async () => {
  const rig = new Rig()
  const { contact: _contact, ...blind } = WIRING
  const life = await rig.startWith(blind)
  expect(await life.command('unlock')).toEqual({ result: 'executed', effect: { opened: null } })
  expect(await life.command('lock')).toEqual({ result: 'executed', effect: {} })
  await life.stop()
})

test('after its deadline a command does nothing; a moment before it does', async () => {
  const rig = new Rig()
  const life = await rig.start()
  expect(await life.command('unlock', -1)).toEqual({ result: 'expired' })
  expect(await life.command('lock', -1)).toEqual({ result: 'expired' })
  expect(rig.panel.history).toEqual([])
  void life.command('unlock', 0)
  expect(rig.panel.state().released).toBe(true)
  await life.stop()
})

test('many commands at once: those that would wait without end are refused, none is lost', async () => {
  const rig = new Rig()
  const life = await rig.start()
  const outcomes = Array.from({ length: 40 }, () => life.command('unlock'))
  await rig.clock.advance(20_000)
  const results = (await Promise.all(outcomes)).map(({ result }) => result)
  expect([
    results.filter((one) => one === 'executed').length,
    results.filter((one) => one === 'rejected').length,
  ]).toEqual([32, 8])
  expect(rig.panel.state().pulses).toBe(1)
  await life.stop()
})

test('lock ends a release early', async () => {
  const rig = new Rig()
  const life = await rig.start()
  void life.command('unlock')
  await rig.clock.advance(100)
  expect(await life.command('lock')).toEqual({ result: 'executed', effect: { open: false } })
  expect(rig.panel.state().released).toBe(false)
  await life.stop()
})

test('neither start nor stop gives an edge; a stop ends a pulse; what a crash left active is ended by the next start', async () => {
  const rig = new Rig()
  const first = await rig.start()
  expect(await first.stop()).toBe('ended')
  expect(rig.panel.history).toEqual([])
  const second = await rig.start({ unlockFor: '60s' })
  const outcome = second.command('unlock')
  await rig.clock.advance(10)
  await second.stop()
  expect(rig.panel.state()).toMatchObject({ released: false, pulses: 1 })
  expect(await outcome).toEqual({ result: 'executed', effect: { opened: false } })
  // A process that is killed in the middle of a pulse: nobody holds the line, and it keeps its level.
  const crashed = { edge() {}, lost() {}, gone() {} }
  rig.panel.chip.request(crashed, { inputs: [], outputs: [[DOOR_LINES.lock, 1]] })
  rig.panel.chip.letGo(crashed)
  expect(rig.panel.state().released).toBe(true)
  const third = await rig.start()
  expect(rig.panel.state().released).toBe(false)
  expect(third.told).toEqual(['door.state locked'])
  await third.stop()
})

test('a restart in any state of the inputs gives no pulse, but for a fire', async () => {
  for (const lines of [['contact'], ['exitButton'], ['tamper'], ['contact', 'exitButton', 'tamper']] as const) {
    const rig = new Rig()
    for (const name of lines) rig.panel.chip.drive(DOOR_LINES[name], 1)
    const life = await rig.start()
    await rig.clock.advance(10)
    expect(rig.panel.history).toEqual([])
    expect(life.seen.filter(({ class: kind }) => kind !== 'status')).toEqual([])
    await life.stop()
  }
})

test('edges that the kernel dropped are counted, and what they would have told is read off the levels', async () => {
  const rig = new Rig()
  const life = await rig.start({ debounce: '1ms' })
  rig.panel.chip.loseEdges(2)
  rig.panel.fire(true)
  rig.panel.chip.drive(DOOR_LINES.contact, 1)
  await rig.clock.advance(10)
  expect(life.told.slice(1)).toEqual([
    'door.edges-lost 2',
    'fire.active',
    'door.unlocked fire',
    'door.state unlocked',
    'door.state open',
  ])
  expect(rig.panel.state().released).toBe(true)
  expect(life.figures.edgesLost).toBe(2)
  await life.stop()
})

test('a press that was dropped, while the button is still down, is heard', async () => {
  const rig = new Rig()
  const life = await rig.start()
  rig.panel.chip.loseEdges(1)
  void rig.panel.pressExit(5000)
  await rig.clock.advance(1)
  expect(rig.panel.state().released).toBe(true)
  await life.stop()
})

test('a chip that is not there or busy is a fault of the connection, and the door has the trouble', async () => {
  const rig = new Rig()
  rig.panel.chip.unplug()
  const first = await rig.start()
  expect([await first.end, first.marks, first.seen]).toEqual(['connection: gpio-missing', ['gpio-missing'], []])
  rig.panel.chip.plugIn()
  const holder = await rig.start()
  expect(holder.marks).toEqual([undefined])
  const second = await rig.start()
  expect([await second.end, second.marks]).toEqual(['connection: gpio-busy', ['gpio-busy']])
  expect(rig.panel.history).toEqual([])
  await holder.stop()
})

test('a chip that goes in the middle of a pulse: the door is faulted, the command unknown, the next start well', async () => {
  const rig = new Rig()
  const life = await rig.start()
  const outcome = life.command('unlock')
  await rig.clock.advance(10)
  rig.panel.chip.unplug()
  await rig.clock.advance(0)
  expect(await life.end).toBe('connection: gpio-gone')
  expect(await outcome).toMatchObject({ result: 'unknown' })
  expect(life.told.slice(-1)).toEqual(['door.state faulted'])
  expect(life.seen.at(-1)?.data).toEqual({ state: 'faulted', released: false, cause: 'fault' })
  expect(life.marks).toEqual([undefined, 'gpio-gone'])
  rig.panel.chip.plugIn()
  const next = await rig.start()
  expect(rig.panel.state().released).toBe(false)
  expect(next.told).toEqual(['door.state locked'])
  await next.stop()
})

test('a line that chatters while the disk is slow: memory is bounded, and what is left out is announced', async () => {
  const rig = new Rig()
  const life = await rig.start({ debounce: '0ms' })
  let flow = (): void => undefined
  life.stuck = new Promise((resolve) => {
    flow = resolve
  })
  for (let turn = 0; turn < 2000; turn++) {
    rig.panel.chip.drive(DOOR_LINES.tamper, turn % 2 === 0 ? 1 : 0)
    await rig.clock.advance(1)
  }
  const before = life.seen.length
  expect(before).toBeLessThan(1200)
  life.stuck = undefined
  flow()
  await rig.clock.advance(0)
  rig.panel.cover(true)
  await rig.clock.advance(0)
  const hole = life.seen.find(({ type }) => type === 'linli.door.untold')
  expect(hole?.class).toBe('alarm')
  // 2000 changes of the cover, each an alarm and a state: what was not said then is in the count.
  expect(before - 1 + Number(hole?.data.count)).toBe(4000)
  await life.stop()
})

test('what a stop leaves behind: no timer, no line', async () => {
  const rig = new Rig()
  const life = await rig.start()
  void life.command('unlock')
  rig.panel.fire(true)
  await rig.clock.advance(10)
  await life.stop()
  expect([rig.clock.pending, rig.panel.chip.held]).toEqual([0, 0])
})

const issuesOf = (options: object): readonly string[] =>
  gpioDoor.options
    .safeParse({ gpioDoor: { chip: 'sim:x', ...options } })
    .error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? []

test('two functions on one line are refused by both names; the line may be a number, a name or a map', () => {
  expect(issuesOf({ lock: 17, contact: { line: 17, activeLow: true } })).toEqual([
    'gpioDoor.contact: contact and lock are both on line 17: give each its own',
  ])
  expect(issuesOf({ lock: 'GPIO17', contact: 27, fire: 'GPIO17' })).toEqual([
    'gpioDoor.fire: fire and lock are both on line GPIO17: give each its own',
  ])
  expect(issuesOf({ lock: 17, contact: 'GPIO27', exitButton: { line: 22, bias: 'pull-up' } })).toEqual([])
})

test('settings that no door can have are refused', () => {
  expect(issuesOf({ lock: 17, heldAfter: '30d' })).toEqual(['gpioDoor.heldAfter: from 1s to 24h'])
  expect(issuesOf({ lock: 17, unlockFor: '1h' })).toEqual(['gpioDoor.unlockFor: from 200ms to 10m'])
  expect(issuesOf({ lock: { line: 17, bias: 'pull-up' } })).toHaveLength(1)
  expect(issuesOf({ lock: '17' })).toHaveLength(1)
})
