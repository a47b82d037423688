import { expect, test } from 'vitest'
import { modbusTcp } from '../../../../drivers/rs485/modbus-tcp.ts'
import { rs485 } from '../../../../drivers/rs485/rs485.ts'
import type { Problem } from '../../../../gateway/contract/driver.ts'
import { Fault } from '../../../../gateway/contract/fault.ts'
import { FOUR } from './host.ts'

const io = {
  profiles: {
    load: async (reference: string): Promise<unknown> => {
      if (reference === 'test/four') return FOUR
      if (reference === 'test/half') return { ...FOUR, samples: undefined }
      throw new Fault('setup', `unknown profile \`${reference}\``, { code: 'profile', hint: 'did you mean test/four?' })
    },
    list: async () => ['test/four'],
  },
}
const device = (id: string, address: number | string, every = '10s', profile = 'test/four') => ({
  id,
  profile,
  address,
  every,
})
const line = (devices: readonly object[], more: object = {}): Promise<readonly Problem[]> =>
  rs485.check!(rs485.options.parse({ rs485: { port: '/dev/line', ...more }, devices }), io)
const host = (devices: readonly object[]): Promise<readonly Problem[]> =>
  modbusTcp.check!(modbusTcp.options.parse({ modbusTcp: { host: 'plc' }, devices }), io)
const told = (problems: readonly Problem[]): string[] =>
  problems.map(
    ({ severity, path, found, message, hint }) =>
      `${severity} ${path.join('.')} (${JSON.stringify(found)}): ${message} | ${hint}`,
  )

test('a line without a mistake has none', async () => {
  expect(await line([device('a', 1), device('b', 247)])).toEqual([])
  expect(await host([device('a', 0), device('b', 255)])).toEqual([])
})

test('each mistake has its place, what was found, and the way out', async () => {
  const devices = [
    device('a', 1),
    device('b', 1),
    device('c', 2, '10s', 'test/for'),
    device('d', 3, '10s', 'test/half'),
    device('e', '12345678'),
    device('f', 0),
  ]
  expect(told(await line(devices))).toEqual([
    'error devices.2.profile ("test/for"): unknown profile `test/for` | did you mean test/four?',
    'error devices.3.profile ("test/half"): profile `test/half` has mistakes: samples: Invalid input: expected array, received undefined | config/profiles/profile.schema.json says what a profile is made of',
    'error devices.4.address ("12345678"): this is no Modbus unit | 1 to 247 is possible, without quotes',
    'error devices.5.address (0): this is no Modbus unit | 1 to 247 is possible, without quotes',
    'error devices.1.address (1): a has this address already, on the same connection | two devices with one address speak at the same time: give one of them another',
  ])
})

test('intervals that the line has no time for are told with how much would do', async () => {
  // Four requests of 8 + 9 characters, 3.5 of silence and 10 ms of turnaround: 125 ms, three devices each 100 ms.
  const devices = [1, 2, 3].map((address) => device(`m${address}`, address, '100ms'))
  expect(told(await line(devices))).toEqual([
    'warning devices ("377 % of the time"): this line needs 0.38 s for a 0.1 s cycle: reading all of these at their intervals takes 377 % of its time | make every `every` 3.8 times as long, raise the baud rate, or use a second line',
  ])
  expect(await line(devices, { baud: 115_200 })).toHaveLength(1)
  expect(await line(devices.slice(0, 1), { baud: 115_200 })).toEqual([])
  // A network carries them side by side.
  expect(await host(devices)).toEqual([])
})

test('who must be alone on a port or a host is said', () => {
  const serial = rs485.options.parse({ rs485: { port: '/dev/ttyUSB0' }, devices: [] })
  expect(rs485.claims!(serial)).toEqual([{ what: 'serial port /dev/ttyUSB0', path: ['rs485', 'port'] }])
  const plc = modbusTcp.options.parse({ modbusTcp: { host: '10.0.0.7' }, devices: [] })
  expect(modbusTcp.claims!(plc)).toEqual([{ what: 'Modbus TCP host 10.0.0.7:502', path: ['modbusTcp', 'host'] }])
})

test.each([
  ['a speed that no port has', { rs485: { port: '/dev/x', baud: 12 }, devices: [] }],
  ['a key that nobody knows', { rs485: { port: '/dev/x', bauds: 9600 }, devices: [] }],
  [
    'an interval without its unit',
    { rs485: { port: '/dev/x' }, devices: [{ id: 'a', profile: 'test/four', address: 1, every: 10 }] },
  ],
  [
    'an interval of nothing',
    { rs485: { port: '/dev/x' }, devices: [{ id: 'a', profile: 'test/four', address: 1, every: '1ms' }] },
  ],
  ['no port', { rs485: {}, devices: [] }],
])('the schema refuses %s', (_name, settings) => {
  expect(rs485.options.safeParse(settings).success).toBe(false)
})

test('what is not said has a default', () => {
  const options = rs485.options.parse({
    rs485: { port: '/dev/x' },
    devices: [{ id: 'a', profile: 'test/four', address: 1 }],
  })
  expect(options).toEqual({
    rs485: { port: '/dev/x', timeout: 500, retries: 1 },
    devices: [{ id: 'a', profile: 'test/four', address: 1, every: 10_000 }],
  })
})

test('a serial server has one speed: who has another is told, and so is an address that is none', async () => {
  const problems = await line([device('a', 1), { ...device('b', 2), serial: { baud: 2400 } }, device('c', 3)], {
    port: 'tcp://127.0.0.1:4001',
  })
  expect(told(problems)).toEqual([
    'error devices.1 ("2400 8N1"): a serial server has one speed for all of its devices, and the first has 9600 8N1 | say baud and parity of the server at `rs485`, set the device to them, or hang it on another line',
  ])
  const wrong = (port: string) => rs485.options.safeParse({ rs485: { port }, devices: [] }).success
  expect(['tcp://127.0.0.1', 'tcp:4001', 'tcp://:4001', 'tcp://box:4001'].map(wrong)).toEqual([
    false,
    false,
    false,
    true,
  ])
})
