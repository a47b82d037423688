import { expect, test } from 'vitest'
import { z } from 'zod'
import type { Driver } from '../../../../gateway/contract/driver.ts'
import { checkSettings, pathText } from '../../../../gateway/settings/check.ts'
import { check, GOOD, told } from './parts.ts'

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
  - id: property
    rights: { devices: [meter-3*, door-*, connections/line-1] }
    commands: [{ verbs: [unlock], devices: [gate] }]
api: { listen: 0.0.0.0:8443 }
upstream:
  - { id: city, mqtt: { url: "mqtt://broker.example", username: u, password: { secret: s } } }
  - { id: here, mqtt: { url: "mqtt://127.0.0.1:1883", username: u, password: { secret: s } } }
`)
  expect(problems.map(({ severity, path, message }) => `${severity} ${pathText(path)}: ${message}`)).toEqual([
    'warning consumers[0].rights.devices[1]: no device of this file matches',
    'warning consumers[0].commands[0].devices[0]: no device of this file matches',
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

test('a door that has the name of another is told once, though it is connection and device', () => {
  const text = 'hub: { id: a }\nconnections: [{ id: d, bell: { at: 1 } }, { id: d, bell: { at: 2 } }]'
  const bell = {
    kind: 'bell',
    options: z.strictObject({ bell: z.looseObject({}) }),
    devices: (_options: unknown, connection: string) => [connection],
  } as unknown as Driver
  const { problems } = checkSettings(text, 'site.yaml', { bell })
  expect(problems.map(({ message }) => message)).toEqual(['the name `d` is given twice'])
})
