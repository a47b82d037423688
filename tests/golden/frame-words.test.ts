import { expect, test } from 'vitest'
import { type Dialect, frameWords } from '../../drivers/rs485/codec/frame-words.ts'
import { hex } from '../hex.ts'

/*
 * Frames of the specifications and published ones, each with its check as it stands there: MODBUS Application Protocol
 * V1.1b3, sections 6 and 7 (their CRC computed with a calculator of its own); DL/T 645-2007 and -1997 (juejin
 * 7468708001337491510, sandxin/dlt645, heyuan manual p. 18); CJ/T 188-2004 (juejin 7434714229318500379, cnblogs 18534598).
 */
const out = (bytes: string, dialect?: Dialect): readonly string[] => frameWords(hex(bytes), 'out', dialect)
const heard = (bytes: string, dialect?: Dialect): readonly string[] => frameWords(hex(bytes), 'in', dialect)

test.each([
  ['11 03 00 6b 00 03 76 87', 'unit 17: read holding registers 107 to 109'],
  ['11 01 00 13 00 25 0e 84', 'unit 17: read coils 19 to 55'],
  ['01 04 00 48 00 01 b1 dc', 'unit 1: read input registers 72'],
  ['11 05 00 ac ff 00 4e 8b', 'unit 17: set coil 172 on'],
  ['11 06 00 01 00 03 9a 9b', 'unit 17: set holding register 1 to 3'],
  ['11 10 00 01 00 02 04 00 0a 01 02 c6 f0', 'unit 17: set holding registers 1 to 2'],
])('Modbus, asked: %s', (bytes, words) => {
  expect(out(bytes, 'modbus')).toEqual([words])
})

test.each([
  ['11 03 06 ae 41 56 52 43 40 49 ad', ['unit 17 answers: 3 holding registers']],
  ['11 01 05 cd 6b b2 0e 1b 45 e6', ['unit 17 answers: coils in 5 bytes']],
  ['11 05 00 ac ff 00 4e 8b', ['unit 17 has done it: set coil 172 on']],
  ['11 10 00 01 00 02 12 98', ['unit 17 has done it: set holding registers 1 to 2']],
  ['0a 81 02 b0 53', ['unit 10 refuses to read coils: exception 2, illegal data address']],
  ['01 83 02 c0 f1', ['unit 1 refuses to read holding registers: exception 2, illegal data address']],
  // Our own request comes back, then the answer; and noise before it.
  [
    '11 03 00 6b 00 03 76 87 11 03 06 ae 41 56 52 43 40 49 ad',
    ['a request to unit 17: read holding registers 107 to 109', 'unit 17 answers: 3 holding registers'],
  ],
  [
    'ff 00 a5 01 83 02 c0 f1',
    ['3 bytes that are no frame', 'unit 1 refuses to read holding registers: exception 2, illegal data address'],
  ],
  // The last byte is not what it was.
  [
    '11 03 06 ae 41 56 52 43 40 49 ae',
    ['wrong check (CRC 49 AE, 49 AD is right) of what looks like: unit 17 answers: 3 holding registers'],
  ],
  ['11 03 06 ae 41', ['a frame that breaks off after 5 of 11 bytes']],
  ['f8 f8 f8 f8', ['4 bytes that are no frame']],
  ['00', ['1 byte that is no frame']],
  ['', []],
])('Modbus, heard: %s', (bytes, words) => {
  expect(heard(bytes, 'modbus')).toEqual(words)
})

const METER = '29 25 07 07 21 20'
test.each([
  [`fe fe fe fe 68 ${METER} 68 11 04 33 33 33 33 4e 16`, 'meter 202107072529: read 00000000'],
  [`fe fe fe fe 68 ${METER} 68 91 08 33 33 33 33 a9 4a 36 33 2e 16`, 'meter 202107072529 answers: 00000000, 4 bytes'],
  [
    '68 60 64 02 09 22 04 68 91 0a 33 32 34 35 47 56 33 33 33 33 97 16',
    'meter 042209026460 answers: 0201FF00, 6 bytes',
  ],
  ['fe fe fe fe 68 aa aa aa aa aa aa 68 13 00 df 16', 'any meter: read the address'],
  ['68 01 00 00 00 00 00 68 93 06 34 33 33 33 33 33 9d 16', 'meter 000000000001 answers: 6 bytes'],
  [`68 ${METER} 68 d1 01 35 74 16`, 'meter 202107072529 refuses to read: there is no such data'],
  [`68 ${METER} 68 d4 01 37 79 16`, 'meter 202107072529 refuses to write: the password is wrong or has no right to it'],
  [`68 ${METER} 68 b1 07 34 33 33 39 44 55 66 f7 16`, 'meter 202107072529 answers: 06000001, 3 bytes, more follows'],
  [`68 ${METER} 68 12 05 34 33 33 39 34 8b 16`, 'meter 202107072529: read on 06000001'],
  ['fe fe fe fe 68 99 99 99 99 99 99 68 08 06 33 63 45 56 44 59 42 16', 'all meters: set all clocks to'],
  ['68 03 00 00 00 00 00 68 01 02 44 e9 03 16', 'meter 000000000003: read B611'],
  ['68 03 00 00 00 00 00 68 81 04 44 e9 33 34 ec 16', 'meter 000000000003 answers: B611, 2 bytes'],
  // Its sum is 16H too: nothing is looked for by that byte.
  [
    `fe fe fe fe 68 ${METER} 68 91 0a 33 32 34 35 34 55 cb 54 43 55 16 16`,
    'meter 202107072529 answers: 0201FF00, 6 bytes',
  ],
  [
    `68 ${METER} 68 d1 01 35 75 16`,
    'wrong check (sum 75, 74 is right) of what looks like: meter 202107072529 refuses to read: there is no such data',
  ],
  [`fe fe 68 ${METER} 68 91 08 33 33`, 'a frame that breaks off after 12 of 20 bytes'],
])('DL/T 645: %s', (bytes, words) => {
  expect(heard(bytes, 'dlt645')).toEqual([words])
})

test.each([
  ['fe fe fe fe 68 10 18 02 12 20 20 00 00 01 03 90 1f 00 97 16', 'cold water meter 00002020120218: read 901F'],
  [
    'fe fe fe fe 68 10 18 02 12 20 20 00 00 81 16 90 1f 00 00 02 00 00 2c 00 02 00 00 2c 00 00 00 00 00 00 00 00 ff 85 16',
    'cold water meter 00002020120218 answers: 901F, 19 bytes',
  ],
  [
    'fe fe fe fe 68 10 44 33 22 11 00 33 78 01 03 1f 90 00 80 16',
    'cold water meter 78330011223344: read 901F (low byte first)',
  ],
  ['fe fe fe fe 68 20 32 41 31 40 00 00 00 01 03 90 1f 01 20 16', 'heat meter 00000040314132: read 901F'],
  ['fe fe fe fe 68 aa aa aa aa aa aa aa aa 03 03 81 0a 00 49 16', 'any meter: read the address 810A'],
  ['fe fe fe fe 68 10 69 05 90 05 15 33 78 04 04 a0 17 01 55 50 16', 'cold water meter 78331505900569: write A017'],
  ['68 10 44 33 22 11 00 33 78 c1 03 00 04 00 95 16', 'cold water meter 78330011223344 refuses to read: state 04 00'],
])('CJ/T 188: %s', (bytes, words) => {
  expect(heard(bytes, 'cjt188')).toEqual([words])
})

test('a device that speaks something else than the one that was asked is understood all the same', () => {
  const electricity = `fe fe fe fe 68 ${METER} 68 91 08 33 33 33 33 a9 4a 36 33 2e 16`
  const words = ['meter 202107072529 answers: 00000000, 4 bytes']
  expect(heard(electricity, 'modbus')).toEqual(words)
  expect(heard(electricity, 'cjt188')).toEqual(words)
  expect(heard(electricity)).toEqual(words)
  expect(heard('11 03 06 ae 41 56 52 43 40 49 ad', 'dlt645')).toEqual(['unit 17 answers: 3 holding registers'])
})
