import { expect, test } from 'vitest'
import type { InjectedFault } from '../../../hardware-sim/fault.ts'
import { crc16 } from '../../../hardware-sim/modbus-meter.ts'
import { CHARACTER_MS, hex, lineWith } from './parts.ts'

const ASK_1 = hex('01 03 00 64 00 02 85 D4')
const ANSWER_1 = hex('01 03 04 00 64 00 65 7B C7')
const UNTIL_ANSWER_MS = 8 * CHARACTER_MS + 5 + 9 * CHARACTER_MS

async function heardWith(fault: InjectedFault, forMs = 100): Promise<string> {
  const { clock, simulated } = lineWith(1)
  const wire = simulated.open()
  simulated.line.setFault('meter-1', fault)
  await wire.write(ASK_1)
  await clock.advance(forMs)
  return Buffer.from(await wire.read(1, 0)).toString('hex')
}
const plain = Buffer.from(ANSWER_1).toString('hex')

test('silence: nothing comes', async () => {
  expect(await heardWith({ kind: 'silence' })).toBe('')
})

test('wrong-check: all the bytes come, and the CRC does not fit', async () => {
  const heard = Buffer.from(await heardWith({ kind: 'wrong-check' }), 'hex')
  expect(heard.subarray(0, 7)).toEqual(Buffer.from(ANSWER_1.subarray(0, 7)))
  expect(crc16(heard.subarray(0, 7))).not.toBe(heard.readUInt16LE(7))
})

test('late: nothing at the usual time, the right answer later by just so much', async () => {
  expect(await heardWith({ kind: 'late', byMs: 250 }, UNTIL_ANSWER_MS + 249.9)).toBe(plain.slice(0, 16))
  expect(await heardWith({ kind: 'late', byMs: 250 }, UNTIL_ANSWER_MS + 250.1)).toBe(plain)
})

test('a meter that is late answers one request after the other', async () => {
  const { clock, simulated } = lineWith(1)
  const wire = simulated.open()
  simulated.line.setFault('meter-1', { kind: 'late', byMs: 400, times: 1 })
  await wire.write(ASK_1)
  await clock.advance(300)
  await wire.write(hex('01 03 00 C8 00 01 05 F4'))
  await clock.advance(UNTIL_ANSWER_MS + 101)
  expect(Buffer.from(await wire.read(1, 0)).toString('hex')).toBe(plain)
  await clock.advance(50)
  expect(
    Buffer.from(await wire.read(1, 0))
      .toString('hex')
      .slice(0, 10),
  ).toBe('01030200c8')
})

test('noise: chance bytes stand before and after the right answer', async () => {
  const heard = await heardWith({ kind: 'noise', before: 3, after: 2 })
  expect(heard.length).toBe(2 * (3 + 9 + 2))
  expect(heard.slice(6, 24)).toBe(plain)
})

test('half: the first half comes in time, the rest later or never', async () => {
  expect(await heardWith({ kind: 'half' }, 1000)).toBe(plain.slice(0, 8))
  expect(await heardWith({ kind: 'half', restAfterMs: 200 }, UNTIL_ANSWER_MS + 199)).toBe(plain.slice(0, 8))
  expect(await heardWith({ kind: 'half', restAfterMs: 200 }, UNTIL_ANSWER_MS + 201)).toBe(plain)
})

test('wrong-unit: another address answers, with a right CRC', async () => {
  const heard = Buffer.from(await heardWith({ kind: 'wrong-unit', unit: 9 }), 'hex')
  expect(heard[0]).toBe(9)
  expect(heard.subarray(1, 7)).toEqual(Buffer.from(ANSWER_1.subarray(1, 7)))
  expect(crc16(heard.subarray(0, 7))).toBe(heard.readUInt16LE(7))
})

test('refuse: an exception answer with the code', async () => {
  expect((await heardWith({ kind: 'refuse', code: 6 })).slice(0, 6)).toBe('018306')
})

test('echo: the hub hears its own request before the answer', async () => {
  const { clock, simulated } = lineWith(1)
  const wire = simulated.open()
  simulated.line.setFault(undefined, { kind: 'echo' })
  await wire.write(ASK_1)
  await clock.advance(8 * CHARACTER_MS + 0.01)
  expect(await wire.read(1, 0)).toEqual(Buffer.from(ASK_1))
  await clock.advance(100)
  expect(Buffer.from(await wire.read(1, 0)).toString('hex')).toBe(plain)
  expect(simulated.line.statistics()).toMatchObject({ collisions: 0, gapViolations: 0 })
})

test('babble: bytes at the speed of the wire until it is cleared, and no request gets through', async () => {
  const { clock, simulated } = lineWith(1, 2)
  const wire = simulated.open()
  simulated.line.setFault('meter-2', { kind: 'babble' })
  await wire.write(ASK_1)
  await clock.advance(1000)
  const heard = await wire.read(1, 0)
  // 960 characters fit into a second at 9600 baud; the last piece of eight may still be on the wire.
  expect(heard.length).toBeGreaterThanOrEqual(952)
  expect(heard.length).toBeLessThanOrEqual(960)
  expect(Buffer.from(heard).toString('hex')).not.toContain(plain)
  simulated.line.setFault('meter-2', undefined)
  await wire.write(ASK_1)
  await clock.advance(100)
  expect(Buffer.from(await wire.read(1, 0)).toString('hex')).toBe(plain)
})

test('a fault on the line is a fault of every meter; one that is used up is over', async () => {
  const { clock, simulated } = lineWith(1)
  const wire = simulated.open()
  simulated.line.setFault(undefined, { kind: 'silence', times: 2 })
  const answered: number[] = []
  for (let i = 0; i < 4; i++) {
    await wire.write(ASK_1)
    await clock.advance(100)
    answered.push((await wire.read(1, 0)).length)
  }
  expect(answered).toEqual([0, 0, 9, 9])
  expect(simulated.line.faultOf(undefined)).toBe(undefined)
})

test('a fault by chance hits about so many answers, the same ones each time', async () => {
  const run = async (): Promise<number> => {
    const { clock, simulated } = lineWith(1)
    const wire = simulated.open()
    simulated.line.setFault('meter-1', { kind: 'silence', chance: 0.25 })
    for (let i = 0; i < 200; i++) {
      await wire.write(ASK_1)
      await clock.advance(60)
      await wire.read(1, 0)
    }
    return simulated.line.statistics().answers
  }
  const answers = await run()
  expect(answers).toBeGreaterThan(125)
  expect(answers).toBeLessThan(175)
  expect(await run()).toBe(answers)
})

test('a fault for a meter that is not there names those that are', () => {
  const { simulated } = lineWith(1, 2)
  expect(() => simulated.line.setFault('meter-9', { kind: 'silence' })).toThrow('meter-1,meter-2')
})
