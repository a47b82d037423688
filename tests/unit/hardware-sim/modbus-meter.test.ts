import { expect, test } from 'vitest'
import { VirtualClock } from '../../../hardware-sim/clock.ts'
import { crc16, ModbusMeter, rtuFrame } from '../../../hardware-sim/modbus-meter.ts'
import { hex, meterOn, SMALL_PROFILE } from './parts.ts'

/** Bits, the first the lowest of the first byte. */
function bits(text: string): number[] {
  return [...text.replace(/\s/g, '')].map(Number)
}

const meter = new ModbusMeter({
  id: 'spec',
  unit: 17,
  profile: SMALL_PROFILE,
  clock: new VirtualClock(),
  extra: [
    { table: 'holding', address: 0, values: [0, 0, 0] },
    { table: 'holding', address: 107, values: [0x022b, 0, 0x64] },
    { table: 'input', address: 8, values: [10] },
    { table: 'coil', address: 19, values: bits('1011 0011  1101 0110  101') },
    { table: 'coil', address: 172, values: [0] },
    { table: 'discrete', address: 196, values: bits('0011 0101  1101 1011  1010 11') },
  ],
})

// MODBUS Application Protocol Specification V1.1b3, the examples of sections 6.1 to 6.6, 6.11 and 6.12.
test.each([
  ['read coils', '01 00 13 00 13', '01 03 CD 6B 05'],
  ['read discrete inputs', '02 00 C4 00 16', '02 03 AC DB 35'],
  ['read holding registers', '03 00 6B 00 03', '03 06 02 2B 00 00 00 64'],
  ['read input registers', '04 00 08 00 01', '04 02 00 0A'],
  ['write single coil', '05 00 AC FF 00', '05 00 AC FF 00'],
  ['write single register', '06 00 01 00 03', '06 00 01 00 03'],
  ['write multiple coils', '0F 00 13 00 0A 02 CD 01', '0F 00 13 00 0A'],
  ['write multiple registers', '10 00 01 00 02 04 00 0A 01 02', '10 00 01 00 02'],
])('%s', (_name, request, answer) => {
  expect(Buffer.from(meter.pdu(hex(request)))).toEqual(Buffer.from(hex(answer)))
})

test('what was written is read back', () => {
  const one = meterOn(new VirtualClock(), {
    unit: 1,
    extra: [{ table: 'coil', address: 0, values: Array(16).fill(0) }],
  })
  one.pdu(hex('0F 00 02 00 0A 02 CD 01'))
  one.pdu(hex('05 00 0F FF 00'))
  // CD 01 is 1011 0011 10 from the lowest bit up; two places further it begins at bit 2.
  expect(Buffer.from(one.pdu(hex('01 00 00 00 10')))).toEqual(Buffer.from(hex('01 02 34 87')))
})

test.each([
  ['a function that it has not', '07', '87 01'],
  ['no registers', '03 00 6B 00 00', '83 03'],
  ['126 registers', '03 00 00 00 7E', '83 03'],
  ['2001 bits', '01 00 00 07 D1', '81 03'],
  ['an address beyond the last', '03 00 6B 00 04', '83 02'],
  ['an address before the first', '04 FF FF 00 01', '84 02'],
  ['a coil value that is neither on nor off', '05 00 AC 00 01', '85 03'],
  ['a byte count that does not fit', '10 00 01 00 02 03 00 0A 01 02', '90 03'],
  ['fewer bytes than it says', '10 00 01 00 02 04 00 0A', '90 03'],
  ['a write where nothing is', '06 03 E8 00 01', '86 02'],
])('%s is refused', (_name, request, answer) => {
  expect(Buffer.from(meter.pdu(hex(request)))).toEqual(Buffer.from(hex(answer)))
})

test('a limit of its own, and addresses between the points', () => {
  const clock = new VirtualClock()
  const strict = new ModbusMeter({
    id: 's',
    unit: 1,
    profile: SMALL_PROFILE,
    clock,
    strictAddresses: true,
    registersMax: 10,
  })
  const lenient = new ModbusMeter({ id: 'l', unit: 1, profile: SMALL_PROFILE, clock })
  expect(Buffer.from(strict.pdu(hex('04 00 00 00 0B')))).toEqual(Buffer.from(hex('84 03')))
  expect(Buffer.from(strict.pdu(hex('04 00 00 00 04')))).toEqual(Buffer.from(hex('84 02')))
  expect(strict.pdu(hex('04 00 00 00 02')).length).toBe(6)
  expect(Buffer.from(lenient.pdu(hex('04 00 02 00 01')))).toEqual(Buffer.from(hex('04 02 00 00')))
})

test('an RTU frame: the CRC that every Eastron manual shows', () => {
  // Eastron SDM630 Modbus protocol, "request to read phase 1 line to neutral volts": 01 04 00 00 00 02 71 CB.
  expect(Buffer.from(rtuFrame(1, hex('04 00 00 00 02')))).toEqual(Buffer.from(hex('01 04 00 00 00 02 71 CB')))
  expect(crc16(Buffer.from('123456789'))).toBe(0x4b37)
})

test('a frame for another, a broken one and a short one are not answered; a broadcast is obeyed in silence', () => {
  const one = meterOn(new VirtualClock(), { unit: 1 })
  expect(one.answer(rtuFrame(2, hex('03 00 00 00 01')))).toBe(undefined)
  expect(one.answer(hex('01 03 00 00 00 01 84 0B'))).toBe(undefined)
  expect(one.answer(hex('01 03'))).toBe(undefined)
  expect(one.answer(rtuFrame(0, hex('06 00 05 00 63')))).toBe(undefined)
  expect(Buffer.from(one.pdu(hex('03 00 05 00 01')))).toEqual(Buffer.from(hex('03 02 00 63')))
})

test('energy rises with power, and power is what voltage and current make', async () => {
  const clock = new VirtualClock()
  const one = meterOn(clock, { unit: 1 })
  const float = (address: number): number => {
    const answer = Buffer.from(one.pdu(rtuFrame(1, hex('04 00 00 00 02')).subarray(1, 6).with(2, address)))
    return answer.readFloatBE(2)
  }
  const [before, power] = [float(72), float(52)]
  expect(float(0)).toBeGreaterThan(220)
  expect(float(0)).toBeLessThan(240)
  expect(power).toBeGreaterThan(100)
  await clock.advance(3_600_000)
  const rise = float(72) - before
  expect(rise).toBeGreaterThan(0.1)
  expect(rise).toBeLessThan(10)
})
