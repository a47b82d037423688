import { expect, test } from 'vitest'
import { pathText, problemText } from '../../../../gateway/settings/check.ts'
import { check, GOOD, hints, told } from './parts.ts'

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
    'How long readings are kept; what is not confirmed stays until its room is needed.',
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

test('a problem is told in two lines: where and what, then the way out', () => {
  const [problem] = check('hub: { id: hub-01, langage: zh }').problems
  expect(problem && problemText(problem)).toBe(
    'site.yaml:1:20 error at hub.langage: `langage` is not known here (found "zh")\n    did you mean `language`? known here: id, name, timezone, language',
  )
})

test('an alias stands for its anchor; one without an anchor is told', () => {
  const { settings } = check('hub: { id: a }\nstorage: { keep: { telemetry: &time 7d, status: *time } }')
  expect(settings?.storage.keepMs).toMatchObject({ telemetry: 604_800_000, status: 604_800_000 })
  expect(told('hub: { id: *no }')[0]).toContain('Unresolved alias')
})
