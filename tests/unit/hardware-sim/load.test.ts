import { expect, test } from 'vitest'
import { VirtualClock } from '../../../hardware-sim/clock.ts'
import { Load } from '../../../hardware-sim/load.ts'
import { quantity } from '../../../hardware-sim/quantity.ts'

const HOUR_MS = 3_600_000
const load = (clock: VirtualClock, seed = 1): Load => new Load({ clock, seed, peakW: 5000, startKwh: 100 })

test('energy is the time integral of power', async () => {
  const clock = new VirtualClock()
  const home = load(clock)
  const before = home.energyKwh()
  expect(before).toBe(100)
  let wattSeconds = 0
  for (let s = 0; s < 600; s++) {
    wattSeconds += home.powerW()
    await clock.advance(1000)
  }
  expect(home.energyKwh() - before).toBeCloseTo(wattSeconds / 3.6e6, 3)
})

test('who reads often sees what reads seldom sees, and the same seed gives the same day', async () => {
  const [often, seldom, other] = [new VirtualClock(), new VirtualClock(), new VirtualClock()]
  const [a, b, c] = [load(often), load(seldom), load(other, 2)]
  for (let i = 0; i < 97; i++) {
    await often.advance(HOUR_MS / 10)
    a.energyKwh()
  }
  await seldom.advance((97 * HOUR_MS) / 10)
  await other.advance((97 * HOUR_MS) / 10)
  expect(a.energyKwh()).toBeCloseTo(b.energyKwh(), 9)
  expect(a.powerW()).toBeCloseTo(b.powerW(), 9)
  expect(Math.abs(a.energyKwh() - c.energyKwh())).toBeGreaterThan(0.01)
})

test('the evening draws more than the night', async () => {
  // 19:00 and 03:00, by the wall clock that the simulation began with.
  const evening = load(new VirtualClock(Date.UTC(2026, 10, 23, 19))).powerW()
  const night = load(new VirtualClock(Date.UTC(2026, 10, 23, 3))).powerW()
  expect(evening).toBeGreaterThan(3 * night)
  expect(evening).toBeLessThanOrEqual(5000 * 1.25)
  expect(night).toBeGreaterThan(0)
})

test('setting the clock does not turn the meter', async () => {
  const clock = new VirtualClock()
  const home = load(clock)
  await clock.advance(1000)
  const before = [home.energyKwh(), home.powerW()]
  clock.jumpWall(12 * HOUR_MS)
  expect([home.energyKwh(), home.powerW()]).toEqual(before)
})

test('points are in their own unit, phases make up the whole, and power is voltage times current', () => {
  const home = load(new VirtualClock())
  const whole = quantity(home, 'power', 'W')
  expect(quantity(home, 'power', 'kW')).toBeCloseTo(whole / 1000, 9)
  const phases = ['power_l1', 'power_l2', 'power_l3'].map((name) => quantity(home, name, 'W'))
  expect(phases[0]! + phases[1]! + phases[2]!).toBeCloseTo(whole, 6)
  const volts = quantity(home, 'voltage_l2', 'V')
  const amperes = quantity(home, 'current_l2', 'A')
  expect(volts * amperes * 0.95).toBeCloseTo(phases[1]!, 6)
  expect(quantity(home, 'energy_import', 'Wh')).toBeCloseTo(1000 * quantity(home, 'energy_import', 'kWh'), 6)
  expect(quantity(home, 'energy_import', 'kWh')).toBeCloseTo(100, 6)
  expect(Math.abs(quantity(home, 'frequency', 'Hz') - 50)).toBeLessThanOrEqual(0.02)
})

test('switched off, nothing is drawn and the register stands; on again, it goes on from there', async () => {
  const [clock, same] = [new VirtualClock(), new VirtualClock()]
  const [home, neighbour] = [load(clock), load(same)]
  const advance = async (ms: number) => Promise.all([clock.advance(ms), same.advance(ms)])
  await advance(HOUR_MS)
  home.switchOff()
  const stood = home.energyKwh()
  await advance(HOUR_MS)
  home.switchOff()
  expect([home.powerW(), home.energyKwh(), quantity(home, 'current', 'A'), quantity(home, 'flow', 'm³/h')]).toEqual([
    0,
    stood,
    0,
    0,
  ])
  home.switchOn()
  const missed = neighbour.energyKwh() - stood
  await advance(HOUR_MS)
  home.switchOn()
  expect(home.powerW()).toBe(neighbour.powerW())
  expect(home.energyKwh()).toBeCloseTo(neighbour.energyKwh() - missed, 9)
})

test('tariffs make up the whole', () => {
  const home = load(new VirtualClock())
  const parts = [1, 2, 3, 4].map((t) => quantity(home, `energy_import_t${t}`, 'kWh'))
  expect(parts.reduce((a, b) => a + b)).toBeCloseTo(quantity(home, 'energy_import', 'kWh'), 9)
  expect(new Set(parts).size).toBe(4)
})

test('heat flows from the warmer water to the colder', () => {
  const home = load(new VirtualClock())
  const [there, back] = ['flow_temperature', 'return_temperature'].map((point) => quantity(home, point, '°C'))
  expect(there).toBeGreaterThan(back! + 5)
})

test('hours of work never fall', async () => {
  const clock = new VirtualClock()
  const home = load(clock)
  let before = 0
  for (let i = 0; i < 100; i++) {
    const hours = quantity(home, 'operating_hours', 'h')
    expect(hours).toBeGreaterThanOrEqual(before)
    before = hours
    await clock.advance(HOUR_MS / 7)
  }
})
