import { expect, test } from 'vitest'
import type { SerialSettings } from '../../../gateway/contract/io.ts'
import { characterMs, frameEndMs, quietMs, sameFraming, sameSpeed } from '../../../hardware-sim/wire-time.ts'
import { SETTINGS_9600 } from './parts.ts'

test('a character is a start bit, the data, the parity and the stop bits', () => {
  expect(characterMs(SETTINGS_9600)).toBeCloseTo(1.041667, 6)
  // DL/T 645: 2400 baud, 8E1, eleven bits, 4.58 ms.
  expect(characterMs({ baud: 2400, dataBits: 8, parity: 'even', stopBits: 1 })).toBeCloseTo(4.583333, 6)
  expect(characterMs({ baud: 9600, dataBits: 7, parity: 'odd', stopBits: 2 })).toBeCloseTo(11 / 9.6, 6)
})

test('a frame ends after 3.5 characters, and after 1.75 ms above 19200 baud', () => {
  expect(frameEndMs(SETTINGS_9600)).toBeCloseTo(3.645833, 6)
  expect(frameEndMs({ ...SETTINGS_9600, baud: 19_200 })).toBeCloseTo(1.822917, 6)
  expect(frameEndMs({ ...SETTINGS_9600, baud: 115_200 })).toBe(1.75)
  expect(quietMs({ ...SETTINGS_9600, baud: 115_200 })).toBeCloseTo(0.303819, 6)
})

test('two ends understand each other only with the same speed and framing', () => {
  expect(sameFraming(SETTINGS_9600, { ...SETTINGS_9600 })).toBe(true)
  expect(sameFraming(SETTINGS_9600, { ...SETTINGS_9600, parity: 'even' })).toBe(false)
  expect(sameFraming(SETTINGS_9600, { ...SETTINGS_9600, baud: 2400 })).toBe(false)
})

test('of a pseudo-terminal only speed and stop bits are to be seen', () => {
  const sevenEven: SerialSettings = { ...SETTINGS_9600, parity: 'even', dataBits: 7 }
  expect(sameSpeed(SETTINGS_9600, sevenEven)).toBe(true)
  expect(sameSpeed(SETTINGS_9600, { ...SETTINGS_9600, stopBits: 2 })).toBe(false)
  expect(sameSpeed(SETTINGS_9600, { ...SETTINGS_9600, baud: 2400 })).toBe(false)
})
