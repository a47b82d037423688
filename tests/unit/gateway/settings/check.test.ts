import { expect, test } from 'vitest'
import { z } from 'zod'
import type { Driver } from '../../../../gateway/contract/driver.ts'
import { duration, name } from '../../../../gateway/contract/units.ts'
import { checkSettings, pathText, problemText } from '../../../../gateway/settings/check.ts'

const device = z.strictObject({
  id: name,
  profile: z.string().describe('Which model it is.'),
  address: z.int().min(1).max(247).describe('Address set on the meter, 1 to 247.'),
  every: duration.describe('How often it is read.'),
})
const line = z.strictObject({
  rs485: z.strictObject({ port: z.string(), baud: z.int().default(9600).describe('Speed of the line.') }),
  devices: z.array(device),
})
const drivers = {
  rs485: {
    kind: 'rs485',
    options: line,
    devices: (options: z.infer<typeof line>) => options.devices.map(({ id }) => id),
  },
  onvif: {
    kind: 'onvif',
    options: z.strictObject({
      onvif: z.strictObject({ host: z.string(), password: z.strictObject({ secret: name }) }),
    }),
    devices: () => [],
  },
} as unknown as Record<string, Driver>

const check = (text: string) => checkSettings(text, 'site.yaml', drivers)
const GOOD = `
hub: { id: hub-01, timezone: Asia/Shanghai }
connections:
  - id: line-1
    rs485: { port: /dev/ttyUSB0 }
    devices:
      - { id: meter-301, profile: eastron/sdm630, address: 1, every: 10s }
`

test('a short file becomes whole settings, with times in milliseconds and sizes in bytes', () => {
  const { settings, problems } = check(GOOD)
  expect(problems).toEqual([])
  expect(settings?.hub).toEqual({ id: 'hub-01', name: '', timezone: 'Asia/Shanghai', language: 'zh' })
  expect(settings?.storage.keepMs.telemetry).toBe(30 * 86_400_000)
  expect(settings?.storage.maxBytes).toBe(4e9)
  expect(settings?.connections).toEqual([
    {
      id: 'line-1',
      kind: 'rs485',
      options: {
        rs485: { port: '/dev/ttyUSB0', baud: 9600 },
        devices: [{ id: 'meter-301', profile: 'eastron/sdm630', address: 1, every: 10_000 }],
      },
    },
  ])
})

test('ten mistakes give ten messages, each with place, value and way out', () => {
  const { settings, problems } = check(`hub: { id: Hub 1, timezone: Asia/Shangai }
storage: { keep: { telemetry: 30 }, maxSize: 1MB }
connections:
  - id: line-1
    rs485: { port: /dev/ttyUSB0, boud: 9600 }
    devices:
      - { id: meter-301, profile: eastron/sdm630, address: 300, evry: 10s }
  - id: line-1
    onvfi: { host: 127.0.0.1 }
  - id: cam
    onvif: { host: 127.0.0.1, password: hunter2 }
`)
  expect(settings).toBeUndefined()
  const said = problems.map(({ line, path, message }) => `${line} ${pathText(path)}: ${message}`)
  expect(said).toEqual([
    '1 hub.id: a name is lower-case letters, digits and hyphens, 63 at most, such as meter-301',
    '1 hub.timezone: a time zone of the IANA list is wanted, such as Asia/Shanghai or Europe/Berlin',
    '2 storage.keep.telemetry: a duration with its unit is wanted, such as 500ms, 10s, 15m, 2h or 30d',
    '2 storage.maxSize: at least 16MB is needed',
    '5 connections[0].rs485.boud: `boud` is not known here',
    '7 connections[0].devices[0].every: `every` is missing',
    '7 connections[0].devices[0].address: Too big: expected number to be <=247',
    '7 connections[0].devices[0].evry: `evry` is not known here',
    '8 connections[1]: the kind of this connection is missing',
    '8 connections[1].id: the name `line-1` is given twice',
    '11 connections[2].onvif.password: Invalid input: expected object, received string',
  ])
  const hints = problems.map(({ hint }) => hint)
  expect(hints).toContain('did you mean `baud`? known here: port, baud')
  expect(hints).toContain('did you mean `every`? known here: id, profile, address, every')
  expect(hints).toContain('did you mean onvif? Known kinds: rs485, onvif')
  expect(hints).toContain(
    'a secret never stands in this file: write `password: { secret: NAME }` and put its value into the file secrets/NAME',
  )
})

test('a mistake of YAML is told at its line', () => {
  const [problem] = check('hub: { id: hub-01\nconnections: [').problems
  expect(problem?.message).toContain('this is no YAML')
  expect(problem?.line).toBeGreaterThan(0)
})

test('an empty file asks for what is needed', () => {
  expect(check('').problems.map(({ path, message }) => `${pathText(path)}: ${message}`)).toEqual([
    'hub: `hub` is missing',
  ])
})

test('two lines on one port, and two devices of one name, are refused', () => {
  const { problems } = check(`${GOOD}  - id: line-2
    rs485: { port: /dev/ttyUSB0 }
    devices: [{ id: meter-301, profile: a/b, address: 2, every: 10s }]
`)
  expect(problems.map(({ message }) => message)).toEqual([
    'two connections want the serial port /dev/ttyUSB0',
    'two devices are called `meter-301`',
  ])
})

test('a right on a device that is not there is a warning, not an error', () => {
  const { settings, problems } = check(`${GOOD}consumers:
  - { id: property, rights: { devices: [meter-3*, door-*] } }
`)
  expect(problems.map(({ severity, path }) => `${severity} ${pathText(path)}`)).toEqual([
    'warning consumers[0].rights.devices[1]',
  ])
  expect(settings?.consumers[0]?.id).toBe('property')
})

test('a problem is told in two lines: where and what, then the way out', () => {
  const [problem] = check('hub: { id: hub-01, langage: zh }').problems
  expect(problem && problemText(problem)).toBe(
    'site.yaml:1:29 error at hub.langage: `langage` is not known here (found "zh")\n    did you mean `language`? known here: id, name, timezone, language',
  )
})

test('aliases that unfold without end are refused, not unfolded', () => {
  const bomb = ['a: &a [x,x,x,x,x,x,x,x,x,x]']
  for (let n = 1; n < 9; n++) {
    const [from, to] = [String.fromCharCode(96 + n), String.fromCharCode(97 + n)]
    bomb.push(`${to}: &${to} [${Array.from({ length: 10 }, () => `*${from}`).join(',')}]`)
  }
  expect(check(bomb.join('\n')).problems[0]?.message).toContain('this is no YAML')
})
