import { expect, test } from 'vitest'
import { type PduAnswer, type PduRequest, readAnswer } from '../../../../drivers/rs485/codec/pdu.ts'
import { type ModbusAsk, ModbusMeter } from '../../../../drivers/rs485/modbus/modbus-meter.ts'
import { modbusProfile } from '../../../../drivers/rs485/modbus/modbus-profile.ts'
import { Fault } from '../../../../gateway/contract/fault.ts'
import { hex, show } from '../../../hex.ts'

/** Five registers beside each other, and one far away. */
const PROFILE = modbusProfile.parse({
  id: 'a/b',
  maker: 'A',
  model: 'B',
  protocol: 'modbus',
  source: 'the test itself',
  points: [
    ...['p0', 'p1', 'p2', 'p3', 'p4'].map((point, address) => ({
      point,
      unit: 'W',
      table: 'holding',
      address,
      as: 'uint16',
    })),
    { point: 'far', table: 'input', address: 700, as: 'int16', noValue: ['8000'] },
  ],
  samples: [{ words: { '0': '0000' }, expect: { p0: 0 } }],
})
const COSTS = { requestMs: 10, registerMs: 1, registersMax: 125 }

/** A device that refuses some addresses with a code; a register holds its address. */
function device(refuse: (address: number, count: number, code: number) => number | Fault | undefined) {
  const asked: string[] = []
  const ask: ModbusAsk = async (request) => {
    const { table, address, count } = fields(request)
    asked.push(`${table} ${address}+${count}`)
    const refusal = refuse(address, count, request.pdu[0]!)
    if (refusal instanceof Fault) throw refusal
    return { answer: answerOf(request, address, count, refusal), monoMs: asked.length }
  }
  const meter = new ModbusMeter('m', PROFILE, COSTS, ask)
  const read = async () => {
    asked.length = 0
    const poll = await meter.read(1).catch((error) => error as Fault)
    if (poll instanceof Fault) return `${poll.reach} ${poll.code}`
    const values = Object.fromEntries(Object.entries(poll.points).map(([name, { v }]) => [name, v]))
    return {
      values,
      complete: poll.complete,
      monoMs: poll.monoMs,
      ...(poll.trouble === undefined ? {} : { trouble: poll.trouble.code }),
    }
  }
  return { read, asked, meter }
}

function fields({ pdu }: PduRequest) {
  const at = (byte: number): number => (pdu[byte]! << 8) | pdu[byte + 1]!
  return { table: pdu[0] === 3 ? 'holding' : 'input', address: at(1), count: at(3) }
}

function answerOf(request: PduRequest, address: number, count: number, refusal: number | undefined): PduAnswer {
  const words = Array.from({ length: count }, (_, i) => (address + i).toString(16).padStart(4, '0')).join('')
  const code = show(request.pdu.subarray(0, 1))
  const refused = (Number.parseInt(code, 16) | 0x80).toString(16)
  const text =
    refusal === undefined
      ? `${code} ${(count * 2).toString(16).padStart(2, '0')} ${words}`
      : `${refused} ${refusal.toString(16).padStart(2, '0')}`
  return readAnswer(request, hex(text))!
}

const ALL = { p0: 0, p1: 1, p2: 2, p3: 3, p4: 4, far: 700 }
const { p3: _p3, ...WITHOUT_P3 } = ALL

test('everything in as few requests as pays, at the time of the last answer', async () => {
  const { read, asked } = device(() => undefined)
  expect(await read()).toEqual({ values: ALL, complete: true, monoMs: 2 })
  expect(asked).toEqual(['holding 0+5', 'input 700+1'])
})

test.each([
  [2, 'illegal data address'],
  [3, 'illegal data value'],
])('exception %i (%s): halved until only the point that is not there is left, and never asked again', async (code) => {
  const { read, asked } = device((address, count) => (address <= 3 && 3 < address + count ? code : undefined))
  const partial = { values: WITHOUT_P3, complete: false, trouble: 'point' }
  expect(await read()).toEqual({ ...partial, monoMs: expect.any(Number) })
  expect(asked).toEqual([
    'holding 0+5',
    'holding 0+2',
    'holding 2+3',
    'holding 2+1',
    'holding 3+2',
    'holding 3+1',
    'holding 4+1',
    'input 700+1',
  ])
  expect(await read()).toEqual({ ...partial, monoMs: expect.any(Number) })
  expect(asked).toEqual(['holding 0+2', 'holding 2+1', 'holding 4+1', 'input 700+1'])
})

test('exception 1: a function that the device does not have takes all of its points with it, at one question', async () => {
  const { read, asked } = device((_address, _count, code) => (code === 3 ? 1 : undefined))
  expect(await read()).toEqual({ values: { far: 700 }, complete: false, trouble: 'point', monoMs: 2 })
  expect(asked).toEqual(['holding 0+5', 'input 700+1'])
  await read()
  expect(asked).toEqual(['input 700+1'])
})

test.each([4, 5, 6, 8, 10, 11])('exception %i: the device is in trouble, no point is given up', async (code) => {
  let trouble = true
  const { read, asked } = device(() => (trouble ? code : undefined))
  expect(await read()).toBe(`device exception-${code}`)
  expect(asked).toEqual(['holding 0+5'])
  trouble = false
  expect(await read()).toEqual({ values: ALL, complete: true, monoMs: 2 })
})

test('a device that refuses everything may only be starting: it is asked for everything again', async () => {
  let starting = true
  const { read } = device(() => (starting ? 2 : undefined))
  expect(await read()).toBe('device wrong-profile')
  starting = false
  expect(await read()).toEqual({ values: ALL, complete: true, monoMs: 2 })
})

test('what was read before it fell silent is not thrown away, and the rest is not asked for', async () => {
  const silent = new Fault('device', 'no answer', { code: 'timeout' })
  const { read } = device((address) => (address === 700 ? silent : undefined))
  const { far: _far, ...holding } = ALL
  expect(await read()).toEqual({ values: holding, complete: false, trouble: 'timeout', monoMs: 1 })
  const dead = device(() => silent)
  expect(await dead.read()).toBe('device timeout')
  expect(dead.asked).toEqual(['holding 0+5'])
})

test('a wire that is gone is not one device’s trouble, and a bug is nobody’s fault', async () => {
  const gone = device(() => new Fault('connection', 'unplugged', { code: 'gone' }))
  expect(await gone.read()).toBe('connection gone')
  const buggy = new ModbusMeter('m', PROFILE, COSTS, async () => Promise.reject(new TypeError('a bug')))
  await expect(buggy.read(1)).rejects.toThrow(TypeError)
})
