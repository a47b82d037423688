import { expect, test } from 'vitest'
import { z } from 'zod'
import type { Driver } from '../../../../gateway/contract/driver.ts'
import { Fault } from '../../../../gateway/contract/fault.ts'
import { checkSettings, pathText } from '../../../../gateway/settings/check.ts'
import { checkWorld } from '../../../../gateway/settings/world.ts'

const options = z.looseObject({ meterLine: z.looseObject({}), profile: z.string() })
const drivers = {
  meterLine: {
    kind: 'meterLine',
    options,
    devices: () => [],
    check: async ({ profile }: z.infer<typeof options>) =>
      profile === 'a/known'
        ? []
        : [{ severity: 'error', path: ['profile'], found: profile, message: 'unknown profile', hint: 'a/known?' }],
  },
} as unknown as Record<string, Driver>
const io = {
  profiles: { load: async () => ({}), list: async () => [] },
  secrets: {
    async load(name: string) {
      if (name === 'there') return 'value'
      throw new Fault('setup', `the secret \`${name}\` is missing`, { hint: 'put it there' })
    },
  },
}
const world = async (text: string) =>
  (await checkWorld(checkSettings(text, 'site.yaml', drivers), drivers, io)).map(
    ({ severity, line, path, message }) => `${severity} ${line} ${pathText(path)}: ${message}`,
  )

test('a driver looks at its own connection, also when another one is wrong', async () => {
  const text = `hub: { id: a }
connections:
  - { id: one, meterLine: {}, profile: a/known }
  - { id: two, meterLine: {}, profile: a/knwon }
  - { id: three, metreLine: {} }
`
  expect(await world(text)).toEqual(['error 4 connections[1].profile: unknown profile'])
})

test('a secret that is missing is a warning at the place of its name', async () => {
  const text = `hub: { id: a }
upstream:
  - { id: city, mqtt: { url: "mqtts://b", username: u, password: { secret: there } } }
  - { id: town, mqtt: { url: "mqtts://b", username: u, password: { secret: gone } } }
`
  expect(await world(text)).toEqual(['warning 4 upstream[1].mqtt.password: the secret `gone` is missing'])
})

test('nothing is asked of a file that is no YAML', async () => {
  expect(await world('hub: [')).toEqual([])
})

test('a log that may grow beyond its disk is a warning, at the size where one is given', async () => {
  const text = 'hub: { id: a }\nstorage:\n  path: ./log.db\n  maxSize: 64MB\n'
  const asked: string[] = []
  const said = async (room: number | undefined) =>
    await checkWorld(checkSettings(text, 'site.yaml', drivers), drivers, {
      ...io,
      roomForLog(path) {
        asked.push(path)
        return room
      },
    })
  expect(await said(64_000_000)).toEqual([])
  expect(await said(undefined)).toEqual([])
  expect(await said(63_000_000)).toEqual([
    expect.objectContaining({
      severity: 'warning',
      line: 4,
      found: '64MB',
      message: 'the log may take 64 MB, and its disk has room for 63 MB',
    }),
  ])
  expect(asked).toEqual(['./log.db', './log.db', './log.db'])
})
