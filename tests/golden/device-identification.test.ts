import { expect, test } from 'vitest'
import { crc16 } from '../../drivers/rs485/codec/crc16.ts'
import { identificationQuestion, readIdentification } from '../../drivers/rs485/codec/device-identification.ts'
import { hex, show } from '../hex.ts'

/* MODBUS Application Protocol V1.1b3, 6.21, with its own example: "Company identification", "Product code XX", "V2.11". */
const PDU = '2b 0e 01 01 00 00 03'
const OBJECTS = [
  ['00', 'Company identification'],
  ['01', 'Product code XX'],
  ['02', 'V2.11'],
] as const

function framed(content: string): Uint8Array {
  const bytes = hex(content)
  const crc = crc16(bytes, 0, bytes.length)
  return Uint8Array.of(...bytes, crc & 0xff, crc >> 8)
}

const objects = OBJECTS.map(
  ([id, text]) => `${id} ${text.length.toString(16).padStart(2, '0')} ${Buffer.from(text).toString('hex')}`,
).join(' ')
const ANSWER = framed(`11 ${PDU} ${objects}`)

test('the request for the basic objects, from the example of the specification', () => {
  expect(show(identificationQuestion(0x11).frame.subarray(0, 5))).toBe('11 2b 0e 01 00')
})

test('the answer of the example is found, and is what it says', () => {
  const match = identificationQuestion(0x11).match(ANSWER)
  expect(match.kind).toBe('answer')
  if (match.kind !== 'answer') return
  expect(readIdentification(match.payload)).toEqual({
    maker: 'Company identification',
    model: 'Product code XX',
    revision: 'V2.11',
  })
})

test('cut off anywhere it is waited for, and a turned bit is no answer', () => {
  const question = identificationQuestion(0x11)
  for (let bytes = 0; bytes < ANSWER.length; bytes++) {
    const match = question.match(ANSWER.subarray(0, bytes))
    expect(match).toMatchObject({ kind: 'more' })
    if (match.kind === 'more') expect(match.missingBytes).toBeGreaterThan(0)
    if (match.kind === 'more') expect(bytes + match.missingBytes).toBeLessThanOrEqual(ANSWER.length)
  }
  for (let at = 0; at < ANSWER.length; at++) {
    expect(question.match(ANSWER.with(at, ANSWER[at]! ^ 0x10)).kind).toBe('more')
  }
})

test('noise before it is skipped, and another unit is not it', () => {
  const noisy = Uint8Array.of(0x11, 0x00, 0x2b, ...ANSWER)
  expect(identificationQuestion(0x11).match(noisy)).toMatchObject({ kind: 'answer', start: 3 })
  expect(identificationQuestion(0x12).match(ANSWER).kind).toBe('more')
})

test('a device that does not know the function says so with exception 1', () => {
  const match = identificationQuestion(0x11).match(framed('11 ab 01'))
  expect(match.kind).toBe('answer')
  if (match.kind === 'answer') expect(readIdentification(match.payload)).toBe(undefined)
})
