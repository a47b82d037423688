import { expect, test } from 'vitest'
import { defaultScenario, parseScenario } from '../../../hardware-sim/scenario.ts'

test('the default: two lines, a TCP host with four meters, a door, a camera, a broker, people', () => {
  const scenario = defaultScenario()
  expect(scenario.lines.map(({ id, baud, meters }) => [id, baud, meters.length])).toEqual([
    ['line-1', 9600, 6],
    ['line-2', 19_200, 3],
  ])
  expect(scenario.modbusTcp[0]!.meters.length).toBe(4)
  expect(scenario.door).toEqual({ id: 'gate' })
  expect(scenario.camera).toEqual({ id: 'cam-lobby', port: 0 })
  expect(scenario.broker).toEqual({ id: 'city', port: 0 })
  expect(scenario.life).toEqual({ visitEvery: 12_000, motionEvery: 9000 })
  expect(scenario.lines.flatMap(({ meters }) => meters).some(({ fault }) => fault !== undefined)).toBe(false)
})

test('a dead meter on line-1, when asked for', () => {
  const dead = defaultScenario({ deadMeter: true }).lines[0]!.meters.filter(({ fault }) => fault?.kind === 'silence')
  expect(dead.map(({ id }) => id)).toEqual(['meter-304'])
})

test('a scenario in YAML, with a script of commands', () => {
  const scenario = parseScenario(`
seed: 7
lines:
  - id: cellar
    meters: [{ id: a, address: 3, fault: { kind: late, byMs: 100 } }]
script:
  - { at: 20s, command: { do: cut, what: broker } }
  - { at: 1m, command: { do: restore, what: broker } }
`)
  expect(scenario).toMatchObject({
    seed: 7,
    lines: [{ id: 'cellar', baud: 9600, meters: [{ id: 'a', address: 3, every: '5s' }] }],
    door: false,
    camera: false,
    script: [
      { at: 20_000, command: { do: 'cut', what: 'broker' } },
      { at: 60_000, command: { do: 'restore', what: 'broker' } },
    ],
  })
})

test('every mistake is told, with its path', () => {
  const text =
    'lines: [{ id: Cellar 1, meters: [{ id: a, address: 300 }] }]\nscript: [{ at: 20, command: { do: fly } }]\nbrokr: 1'
  for (const path of ['lines[0].id', 'lines[0].meters[0].address', 'script[0].at', 'script[0].command.do', 'brokr']) {
    expect(() => parseScenario(text)).toThrow(path)
  }
})

test('a meter of DL/T 645 or CJ/T 188 has a number in quotes, and any meter settings of its own', () => {
  const meters = [
    { id: 'e', address: '202107072529', serial: { baud: 2400, parity: 'even' }, wakeBytes: 1, setWithin: '5m' },
    { id: 'w', address: '78330011223344', zeroSer: true },
  ]
  expect(parseScenario(JSON.stringify({ lines: [{ id: 'l', meters }] })).lines[0]!.meters).toMatchObject([
    { address: '202107072529', serial: { baud: 2400, parity: 'even' }, wakeBytes: 1, setWithin: 300_000 },
    { address: '78330011223344', ownOrderOnly: false, zeroSer: true },
  ])
  for (const address of [202107072529, '20210707252', '2021070725aa']) {
    expect(() => parseScenario(JSON.stringify({ lines: [{ id: 'l', meters: [{ id: 'e', address }] }] }))).toThrow(
      'quotes',
    )
  }
})
