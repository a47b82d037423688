import { expect, test } from 'vitest'
import { simulatedSerial } from '../../../hardware-sim/simulated-line.ts'
import { CHARACTER_MS, hex, lineWith, meterOn, SETTINGS_9600 } from './parts.ts'

const ASK_1 = hex('01 03 00 64 00 02 85 D4')

test('a read gives what is there at its end, and sooner when enough is there', async () => {
  const { clock, simulated } = lineWith(1)
  const wire = simulated.open()
  await wire.write(ASK_1)
  const enough = wire.read(9, 1000)
  await clock.advance(50)
  expect((await enough).length).toBe(9)
  const nothing = wire.read(1, clock.monoMs() + 10)
  await clock.advance(10)
  expect((await nothing).length).toBe(0)
  expect(clock.pending).toBe(0)
})

test('what was discarded is forgotten', async () => {
  const { clock, simulated } = lineWith(1)
  const wire = simulated.open()
  await wire.write(ASK_1)
  await clock.advance(50)
  wire.discard()
  expect((await wire.read(1, 0)).length).toBe(0)
})

test('an unread wire keeps 4096 bytes and no more', async () => {
  const { clock, simulated } = lineWith(1)
  const wire = simulated.open()
  simulated.line.setFault('meter-1', { kind: 'babble' })
  await clock.advance(10_000)
  expect((await wire.read(1, 0)).length).toBe(4096)
})

test('a meter that listens at another speed does not hear, until the hub goes to that speed', async () => {
  const { clock, simulated } = lineWith()
  const slow = { ...SETTINGS_9600, baud: 2400, parity: 'even' } as const
  simulated.line.attach(meterOn(clock, { unit: 1, settings: slow }))
  const wire = simulated.open()
  await wire.write(ASK_1)
  await clock.advance(500)
  expect((await wire.read(1, 0)).length).toBe(0)
  await wire.configure(slow)
  await wire.write(ASK_1)
  // Eleven bits a character at 2400 baud: 4.4 times as long as at 9600 8N1.
  await clock.advance(17 * CHARACTER_MS * 4.4 + 5 - 0.1)
  expect((await wire.read(1, 0)).length).toBe(8)
  await clock.advance(0.2)
  expect((await wire.read(1, 0)).length).toBe(1)
})

test('another speed is in force when what was written is out, and not before', async () => {
  const { clock, simulated } = lineWith(1)
  simulated.line.detach('meter-1')
  simulated.line.attach(meterOn(clock, { unit: 1, settings: SETTINGS_9600 }))
  const wire = simulated.open()
  await wire.write(ASK_1)
  let inForceMs = 0
  const configured = wire.configure({ ...SETTINGS_9600, baud: 19_200 }).then(() => {
    inForceMs = clock.monoMs()
  })
  await clock.advance(100)
  await configured
  expect(inForceMs).toBeCloseTo(8 * CHARACTER_MS, 6)
  // The meter heard the request as it was sent.
  expect(simulated.line.statistics().answers).toBe(1)
})

test('unplugged: reads and writes fail, gone tells why; plugged in again it opens as before', async () => {
  const { clock, simulated } = lineWith(1)
  const wire = simulated.open()
  const reading = wire.read(1, 1000)
  const failed = expect(reading).rejects.toMatchObject({ name: 'Fault', reach: 'connection', code: 'gone' })
  simulated.unplug()
  await failed
  expect(await wire.gone).toMatchObject({ code: 'gone' })
  await expect(wire.write(ASK_1)).rejects.toMatchObject({ code: 'gone' })
  expect(() => simulated.open()).toThrow('unplugged')
  simulated.plug()
  const again = simulated.open()
  await again.write(ASK_1)
  await clock.advance(100)
  expect((await again.read(1, 0)).length).toBe(9)
})

test('a port has one owner; closing it tells nobody of a fault', async () => {
  const { simulated } = lineWith(1)
  const serial = simulatedSerial(new Map([['/sim/line-1', simulated]]))
  const ending = new AbortController()
  const wire = await serial.open('/sim/line-1', SETTINGS_9600, ending.signal)
  await expect(serial.open('/sim/line-1', SETTINGS_9600, ending.signal)).rejects.toMatchObject({ code: 'locked' })
  await expect(serial.open('/sim/line-9', SETTINGS_9600, ending.signal)).rejects.toThrow('no serial port /sim/line-9')
  ending.abort()
  expect(await wire.gone).toBe(undefined)
  expect(await serial.list()).toEqual([{ path: '/sim/line-1' }])
  simulated.open()
})
