import fc from 'fast-check'
import { expect, test } from 'vitest'
import { z } from 'zod'
import type { Driver } from '../../../../gateway/contract/driver.ts'
import { duration, name, secret } from '../../../../gateway/contract/units.ts'
import { checkSettings, pathText, problemText } from '../../../../gateway/settings/check.ts'

const device = z.strictObject({
  id: name,
  profile: z.string().describe('Which model it is.'),
  address: z.int().min(1).max(247).describe('Address set on the meter, 1 to 247.'),
  every: duration.describe('How often it is read.'),
})
const line = z.strictObject({
  rs485: z.strictObject({
    port: z.string(),
    baud: z.int().default(9600).describe('Speed of the line.'),
    parity: z.enum(['none', 'even', 'odd']).default('none'),
    stopBits: z.union([z.literal(1), z.literal(2)]).default(1),
  }),
  devices: z.array(device),
})
const pin = z.union([z.int(), z.strictObject({ line: z.int(), activeLow: z.boolean() })])
const door = z.strictObject({ gpioDoor: z.strictObject({ chip: z.string(), lock: pin, contact: pin.exactOptional() }) })
const drivers = {
  rs485: {
    kind: 'rs485',
    options: line,
    devices: (options: z.infer<typeof line>) => options.devices.map(({ id }) => id),
    claims: (options: z.infer<typeof line>) => [{ what: `serial port ${options.rs485.port}`, path: ['rs485', 'port'] }],
  },
  gpioDoor: {
    kind: 'gpioDoor',
    options: door,
    devices: () => [],
    claims: ({ gpioDoor: { chip, ...lines } }: z.infer<typeof door>) =>
      Object.entries(lines).map(([key, at]) => ({ what: `line ${at} of ${chip}`, path: ['gpioDoor', key] })),
  },
  onvif: {
    kind: 'onvif',
    options: z.strictObject({ onvif: z.strictObject({ host: z.string(), password: secret }) }),
    devices: () => [],
  },
} as unknown as Record<string, Driver>

const check = (text: string) => checkSettings(text, 'site.yaml', drivers)
const told = (text: string) => check(text).problems.map(({ path, message }) => `${pathText(path)}: ${message}`)
const hints = (text: string) => check(text).problems.map(({ hint }) => hint)
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
        rs485: { port: '/dev/ttyUSB0', baud: 9600, parity: 'none', stopBits: 1 },
        devices: [{ id: 'meter-301', profile: 'eastron/sdm630', address: 1, every: 10_000 }],
      },
    },
  ])
})

const TEN_MISTAKES = `hub: { id: Hub 1, timezone: Asia/Shangai }
storage: { keep: { telemetry: 30 }, maxSize: 1MB }
connections:
  - id: line-1
    rs485: { port: /dev/ttyUSB0, boud: 9600 }
    devices:
      - { id: meter-301, profile: eastron/sdm630, address: 300, evry: 10s }
  - id: line-1
    onvfi: { host: 127.0.0.1, password: { secret: cam } }
  - id: cam
    onvif: { host: 127.0.0.1, password: hunter2 }
`

test('ten mistakes give ten messages, each at its place in the file', () => {
  const { settings, problems } = check(TEN_MISTAKES)
  expect(settings).toBeUndefined()
  const said = problems.map(({ line, column, path, message }) => `${line}:${column} ${pathText(path)}: ${message}`)
  expect(said).toEqual([
    '1:12 hub.id: a name is lower-case letters, digits and hyphens, 63 at most, such as meter-301',
    '1:29 hub.timezone: a time zone of the IANA list is wanted, such as Asia/Shanghai or Europe/Berlin',
    '2:31 storage.keep.telemetry: a duration with its unit is wanted, such as 500ms, 10s, 15m, 2h or 30d',
    '2:46 storage.maxSize: at least 16MB is needed',
    '5:34 connections[0].rs485.boud: `boud` is not known here',
    '7:60 connections[0].devices[0].address: at most 247',
    '7:65 connections[0].devices[0].evry: `evry` is not known here',
    '8:9 connections[1].id: the name `line-1` is given twice',
    '9:5 connections[1].onvfi: `onvfi` is no kind of connection',
    '11:41 connections[2].onvif.password: a secret in plain text is refused: whoever sees the settings would have it',
  ])
})

test('each mistake comes with the way out', () => {
  expect(hints(TEN_MISTAKES)).toEqual([
    'Name of this box, the same for its whole life: it is part of the id of every event.',
    'did you mean Asia/Shanghai?',
    'How long readings are kept; before unconfirmed ones go they are thinned.',
    'The log takes at most so much of the disk.',
    'did you mean `baud`? known here: port, baud, parity, stopBits',
    'Address set on the meter, 1 to 247.',
    'did you mean `every`? known here: id, profile, address, every',
    'each entry of connections has a name of its own',
    'did you mean `onvif`? known kinds: rs485, gpioDoor, onvif',
    'write `password: { secret: NAME }` and put its value into the file secrets/NAME beside this one',
  ])
})

test('what is wrong inside a connection of a misspelt kind is told too, at the key as it is written', () => {
  expect(told('hub: { id: a }\nconnections: [{ id: c, onvfi: { hots: x, password: { secret: p } } }]')).toEqual([
    'connections[0].onvfi: `onvfi` is no kind of connection',
    'connections[0].onvfi.hots: `hots` is not known here',
  ])
})

test('a secret written in plain text is refused without being shown', () => {
  const { problems } = check(`hub: { id: a }
connections:
  - { id: cam, onvif: { host: h, pasword: hunter2 } }
  - { id: cam-2, onvif: { host: h, password: hunter2 } }
upstream:
  - { id: city, mqtt: { url: "mqtt://me:hunter2@broker" } }
  - { id: town, mqtt: { url: "mqtts://b", key: "-----BEGIN RSA PRIVATE KEY-----hunter2" } }
`)
  expect(problems.map(({ path }) => pathText(path))).toEqual([
    'connections[0].onvif.pasword',
    'connections[1].onvif.password',
    'upstream[0].mqtt.url',
    'upstream[1].mqtt.cert',
    'upstream[1].mqtt.key',
  ])
  expect(JSON.stringify(problems)).not.toContain('hunter2')
})

test('numbers and texts are told apart by their quotes', () => {
  const text = `hub: { id: a }
connections:
  - id: line-1
    rs485: { port: 5, stopBits: 3, parity: evn }
    devices: [{ id: m, profile: p, address: "7", every: 1s }]
`
  expect(told(text)).toEqual([
    'connections[0].rs485.port: text is wanted',
    'connections[0].rs485.stopBits: 1 or 2 is wanted',
    'connections[0].rs485.parity: one of none, even, odd is wanted',
    'connections[0].devices[0].address: a number is wanted',
  ])
  expect(hints(text)).toEqual([
    'put the digits in quotes: `port: "..."`',
    'config/README.md says what is possible here',
    'did you mean even?',
    'leave out the quotes: `address: 7`',
  ])
})

test('of two forms the one that was meant is the one whose mistakes are told', () => {
  const text = (lock: string) => `hub: { id: a }\nconnections: [{ id: d, gpioDoor: { chip: c, lock: ${lock} } }]`
  expect(told(text('{ line: 4, activLow: true }'))).toEqual([
    'connections[0].gpioDoor.lock.activLow: `activLow` is not known here',
  ])
  expect(told(text('four'))).toEqual(['connections[0].gpioDoor.lock: a number, or a map of keys is wanted'])
  expect(told('hub: { id: a }\nconnections: [{ id: d, gpioDoor: { chip: c } }]')).toEqual([
    'connections[0].gpioDoor.lock: `lock` is missing',
  ])
})

test('a mistake of YAML is one problem at its line', () => {
  expect(check('hub: { id: hub-01 }\nconnections:\n\t- id: x\n').problems).toEqual([
    {
      severity: 'error',
      path: [],
      found: undefined,
      message: 'this is no YAML: Tabs are not allowed as indentation',
      hint: 'indent by two spaces, never by tabs, and put a space behind every colon',
      file: 'site.yaml',
      line: 3,
      column: 1,
    },
  ])
  expect(check('hub: { id: a }\nhub: { id: b }').problems[0]).toMatchObject({
    message: 'this is no YAML: Map keys must be unique',
    line: 2,
  })
})

test('an empty file, a list, and a file without end are refused', () => {
  expect(told('')).toEqual(['hub: `hub` is missing'])
  expect(told('- a')).toEqual(['the top: the file is to be a map of keys that begins with `hub:`'])
  expect(told(`hub: { id: a } # ${'x'.repeat(1_000_000)}`)).toEqual([
    'the top: the file is longer than 1000000 characters',
  ])
})

test('a file without a kind, and one with two in one connection, get the list of kinds', () => {
  const text = 'hub: { id: a }\nconnections: [{ id: x, devices: [] }, { id: y, rs485: {}, onvif: {} }]'
  expect(told(text)).toEqual([
    'connections[0]: the kind of this connection is missing',
    'connections[1]: a connection has one kind',
  ])
  expect(hints(text)).toEqual([
    'beside its id stands what it is, known kinds: rs485, gpioDoor, onvif',
    'make a connection of its own for each of rs485 and onvif',
  ])
})

test('two lines on one port, and two devices of one name, are refused', () => {
  expect(
    told(`${GOOD}  - id: line-2
    rs485: { port: /dev/ttyUSB0 }
    devices: [{ id: meter-301, profile: a/b, address: 2, every: 10s }]
`),
  ).toEqual([
    'connections[1].rs485.port: the serial port /dev/ttyUSB0 is taken by `line-1` already',
    'connections[1].devices[0].id: two devices are called `meter-301`',
  ])
})

test('one GPIO line for two doors, or twice in one, is refused; the same number on another chip is not', () => {
  const text = `hub: { id: a }
connections:
  - { id: gate, gpioDoor: { chip: gpiochip0, lock: 17, contact: 17 } }
  - { id: yard, gpioDoor: { chip: gpiochip0, lock: 17 } }
  - { id: shed, gpioDoor: { chip: gpiochip1, lock: 17 } }
`
  expect(told(text)).toEqual([
    'connections[0].gpioDoor.contact: the line 17 of gpiochip0 is taken by `gate` already',
    'connections[1].gpioDoor.lock: the line 17 of gpiochip0 is taken by `gate` already',
  ])
})

test('names given twice are found in every section, also where other mistakes stand', () => {
  expect(
    told(`hub: { id: a }
connections: [{ id: c, rs485: { port: p }, devices: [{ id: m }, { id: m, profile: p, address: 1, every: 1s }] }]
upstream: [{ id: u, mqtt: { url: "mqtts://b" } }, { id: u, mqtt: { url: "mqtts://b" } }]
consumers: [{ id: p }, { id: p }]
api: {}
`).filter((message) => /twice|called/.test(message)),
  ).toEqual([
    'connections[0].devices[1].id: two devices are called `m`',
    'upstream[1].id: the name `u` is given twice',
    'consumers[1].id: the name `p` is given twice',
  ])
})

test('what is doubtful is a warning, and the settings hold', () => {
  const { settings, problems } = check(`${GOOD}consumers:
  - { id: property, rights: { devices: [meter-3*, door-*, connections/line-1] } }
api: { listen: 0.0.0.0:8443 }
upstream:
  - { id: city, mqtt: { url: "mqtt://broker.example", username: u, password: { secret: s } } }
  - { id: here, mqtt: { url: "mqtt://127.0.0.1:1883", username: u, password: { secret: s } } }
`)
  expect(problems.map(({ severity, path, message }) => `${severity} ${pathText(path)}: ${message}`)).toEqual([
    'warning consumers[0].rights.devices[1]: no device of this file matches',
    'warning api.listen: tokens and events cross the network in the clear',
    'warning upstream[0].mqtt.url: the password and the events cross the network in the clear',
  ])
  expect(settings?.consumers[0]?.id).toBe('property')
})

test('consumers without an interface to read by are warned of', () => {
  expect(told(`${GOOD}consumers: [{ id: p }]`)).toEqual([
    'consumers: nobody can read: consumers pull over HTTP, and there is no `api:`',
  ])
})

test('a problem is told in two lines: where and what, then the way out', () => {
  const [problem] = check('hub: { id: hub-01, langage: zh }').problems
  expect(problem && problemText(problem)).toBe(
    'site.yaml:1:20 error at hub.langage: `langage` is not known here (found "zh")\n    did you mean `language`? known here: id, name, timezone, language',
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

test('an alias stands for its anchor; one without an anchor is told', () => {
  const { settings } = check('hub: { id: a }\nstorage: { keep: { telemetry: &time 7d, status: *time } }')
  expect(settings?.storage.keepMs).toMatchObject({ telemetry: 604_800_000, status: 604_800_000 })
  expect(told('hub: { id: *no }')[0]).toContain('Unresolved alias')
})

test('brackets without end do not break the check', () => {
  for (const depth of [1000, 20_000]) {
    expect(check(`hub: ${'['.repeat(depth)}${']'.repeat(depth)}`).problems.length).toBeGreaterThan(0)
  }
})

test('no text makes the check throw', () => {
  const word = fc.constantFrom('hub', 'connections', 'rs485', 'devices', 'id', ':', '- ', '{', '}', '[', ']', '\n', '  ', ',', '"', '&a ', '*a', '!x', '1', '__proto__', '10s') // biome-ignore format: a list of words
  fc.assert(
    fc.property(
      fc.oneof(
        fc.array(word, { maxLength: 60 }).map((words) => words.join('')),
        fc.string(),
      ),
      (text) => {
        const { settings, problems } = check(text)
        expect(settings === undefined).toBe(problems.some(({ severity }) => severity === 'error'))
      },
    ),
    { numRuns: 500 },
  )
})

const anything = fc.jsonValue({ maxDepth: 4 })
test('no values make the check throw, whatever stands where', () => {
  fc.assert(
    fc.property(anything, anything, anything, anything, (hub, options, devices, rights) => {
      const text = JSON.stringify({
        hub,
        connections: [{ id: 'a', rs485: options, devices }, options, { id: hub, gpioDoor: { lock: options } }],
        upstream: [{ id: 'u', mqtt: options, rights: { devices: rights } }],
        consumers: devices,
        api: options,
      })
      expect(check(text).problems.length).toBeGreaterThan(0)
    }),
    { numRuns: 100 },
  )
})
