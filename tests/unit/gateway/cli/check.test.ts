import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { REPOSITORY } from '../../../../gateway/cli/repository.ts'
import { linli, temporaryFolder } from './told.ts'

const GOOD = `hub: { id: hub-01 }
connections:
  - { id: plc, modbusTcp: { host: 127.0.0.1 }, devices: [{ id: m, profile: eastron/sdm630, address: 1, every: 1s }] }
`

function file(text: string, name = 'hub.yaml'): string {
  const folder = temporaryFolder()
  writeFileSync(join(folder, name), text)
  return folder
}

test('a good file is told as one, with exit code 0', async () => {
  expect(await linli(['check', 'site.yaml'], { folder: file(GOOD, 'site.yaml') })).toEqual({
    code: 0,
    out: 'site.yaml: good, 0 warnings (1 connection, 0 upstreams, 0 consumers)\n',
    error: '',
  })
})

test('mistakes of the file and missing profiles are told together, in the order of the file, with exit code 2', async () => {
  const folder = file(`${GOOD.replace('sdm630', 'sdm360')}upstraem: []\n`)
  expect(await linli(['check', 'hub.yaml'], { folder })).toEqual({
    code: 2,
    out: 'hub.yaml: 2 errors, 0 warnings\n',
    error: `hub.yaml:3:76 error at connections[0].devices[0].profile: unknown profile \`eastron/sdm360\` (found "eastron/sdm360")
    did you mean eastron/sdm630? \`linli profiles\` lists all
hub.yaml:4:1 error at upstraem: \`upstraem\` is not known here (found [])
    did you mean \`upstream\`? known here: hub, storage, connections, upstream, commands, consumers, api
`,
  })
})

test('the drivers say what they must have to themselves: a port, a line of a chip, a host', async () => {
  const meter = (id: string) => `devices: [{ id: ${id}, profile: eastron/sdm630, address: 1, every: 1s }]`
  const folder = file(`hub: { id: h }
connections:
  - { id: l1, rs485: { port: /dev/ttyS0 }, ${meter('a')} }
  - { id: l2, rs485: { port: /dev/ttyS0 }, ${meter('b')} }
  - { id: t1, modbusTcp: { host: plc }, ${meter('c')} }
  - { id: t2, modbusTcp: { host: plc, port: 502 }, ${meter('d')} }
  - { id: d1, gpioDoor: { chip: c0, lock: 17, contact: 18 } }
  - { id: d2, gpioDoor: { chip: c0, lock: 19, contact: { line: 17 } } }
  - { id: d3, gpioDoor: { chip: c1, lock: 17 } }
`)
  const { out } = await linli(['check', '--json'], { folder })
  expect(JSON.parse(out).problems.map(({ message }: { message: string }) => message)).toEqual([
    'the serial port /dev/ttyS0 is taken by `l1` already',
    'the Modbus TCP host plc:502 is taken by `t1` already',
    'the line 17 of c0 is taken by `d1` already',
  ])
})

test('warnings leave the exit code at 0', async () => {
  const folder = file(`${GOOD}consumers: [{ id: property, rights: { devices: [mm] } }]\napi: {}\n`)
  const { code, out, error } = await linli(['check'], { folder })
  expect([code, out.includes('good, 1 warning (')]).toEqual([0, true])
  expect(error).toContain('warning at consumers[0].rights.devices[0]: no device of this file matches (found "mm")')
})

test('programs get JSON', async () => {
  const { code, out } = await linli(['check', '--json', 'hub.yaml'], { folder: file('hub: { id: A }') })
  expect(code).toBe(2)
  expect(JSON.parse(out)).toMatchObject({
    file: 'hub.yaml',
    ok: false,
    problems: [{ severity: 'error', path: ['hub', 'id'], found: 'A', line: 1, column: 12 }],
  })
})

test('the file is found by LINLI_SETTINGS, or beside who asks; a missing one is told', async () => {
  const folder = file(GOOD)
  expect((await linli(['check'], { folder })).out).toContain(`${folder}/hub.yaml: good`)
  const environment = { LINLI_SETTINGS: `${folder}/hub.yaml` }
  expect((await linli(['check'], { environment })).out).toContain(`${folder}/hub.yaml: good`)
  expect(await linli(['check', 'gone.yaml'], { folder })).toMatchObject({
    code: 2,
    error: `linli check: the settings file ${folder}/gone.yaml can't be read: there is no such file\n    config/examples has some to begin with\n`,
  })
  expect((await linli(['check', '.'], { folder })).error).toContain('it is a folder')
})

test.each(['meters', 'community'])('the example %s has no mistake', async (name) => {
  const { code, error } = await linli(['check', join(REPOSITORY, `config/examples/${name}.yaml`)])
  expect([code, error.includes(' error ')]).toEqual([0, false])
})
