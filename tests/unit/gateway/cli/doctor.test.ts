import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { diskFindings, kindFindings, roomFinding } from '../../../../gateway/cli/doctor/disk.ts'
import { clockFinding, memoryFinding, nodeFinding, sqliteFinding } from '../../../../gateway/cli/doctor/machine.ts'
import { deviceFiles, gpioFindings, portFindings, portsThere } from '../../../../gateway/cli/doctor/ports.ts'
import { linli, temporaryFolder } from './told.ts'

test('Node, SQLite and memory are held against what a hub needs', async () => {
  expect([nodeFinding('24.0.0').state, nodeFinding('20.19.1').state]).toEqual(['well', 'bad'])
  expect(await sqliteFinding()).toMatchObject({ state: 'well', text: expect.stringMatching(/^SQLite 3\./) })
  expect([memoryFinding(512e6).state, memoryFinding(256e6).state]).toEqual(['well', 'doubtful'])
})

test('a clock that nobody vouches for is doubtful, because a hub can live with it', () => {
  const clock = (state: 'never' | 'unsynced' | 'synced') => clockFinding({ state: () => state, wallMs: () => 0 })
  expect(clock('synced').state).toBe('well')
  expect(clock('unsynced')).toMatchObject({
    state: 'doubtful',
    text: '1970-01-01T00:00:00.000Z: no time server vouches for it',
  })
  expect(clock('never').text).toContain('was never set')
})

test('the disk needs room for what the log may take yet', () => {
  expect(roomFinding('/var', 5e9, 4e9)).toMatchObject({ state: 'well', text: '5000 MB free at /var' })
  expect(roomFinding('/var', 3e9, 4e9)).toMatchObject({ state: 'doubtful', hint: expect.stringContaining('maxSize') })
  expect(roomFinding('/var', 5e7, 1e6).state).toBe('bad')
})

test('memory and network file systems are told; ext4 (0xef53) is not', () => {
  expect(kindFindings(0xef53)).toEqual([])
  expect(kindFindings(0x01021994)[0]?.text).toContain('tmpfs')
  expect(kindFindings(0x6969)[0]?.text).toContain('NFS')
})

test('the folder of the log is looked at where it is, or where it would be made', () => {
  const folder = temporaryFolder()
  const storage = {
    path: './var/deep/hub.db',
    keepMs: { telemetry: 1, status: 1, alarm: 1, audit: 1 },
    maxBytes: 0,
    gatherMs: 0,
    gatherEvents: 1000,
    gatherBytes: 262_144,
  }
  const findings = diskFindings(folder, storage)
  expect(findings.map(({ text }) => text).join()).toContain(`free at ${folder}`)
  expect(findings.at(-1)?.text).toMatch(/^a commit takes about \d+\.\d ms$/)
})

test('a port is looked for where the settings name it', () => {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'file'), '')
  // A character device that every Linux has, and that anybody may open.
  symlinkSync('/dev/null', join(folder, 'port'))
  expect(portFindings([join(folder, 'port'), join(folder, 'file'), join(folder, 'gone')])).toMatchObject([
    { state: 'well' },
    { state: 'bad', text: expect.stringContaining('is no device') },
    { state: 'doubtful', text: expect.stringContaining('is not there') },
  ])
  expect(deviceFiles([{ rs485: { port: '/dev/ttyUSB0' } }, { a: ['/dev/x'], b: 'sim:/dev/y', c: 1 }])).toEqual([
    '/dev/ttyUSB0',
    '/dev/x',
  ])
})

test('the adapters that are there are named by their path', () => {
  const folder = temporaryFolder()
  expect(portsThere(join(folder, 'none')).text).toContain('no USB serial adapter')
  mkdirSync(join(folder, 'by-path'))
  writeFileSync(join(folder, 'by-path/usb-1'), '')
  expect(portsThere(join(folder, 'by-path')).text).toBe(`serial: ${folder}/by-path/usb-1`)
})

test('GPIO is asked for only where a door hangs on it', () => {
  const folder = temporaryFolder()
  expect(gpioFindings(false, folder)).toEqual([])
  expect(gpioFindings(true, folder)).toMatchObject([{ state: 'bad', text: 'there is no GPIO chip' }])
})

test('without settings the machine alone is looked at; with them what they ask of it', async () => {
  const folder = temporaryFolder()
  expect((await linli(['doctor'], { folder })).out).toContain('there are no settings yet')
  writeFileSync(
    join(folder, 'hub.yaml'),
    'hub: { id: h }\nconnections: [{ id: l, rs485: { port: /dev/linli-none }, devices: [{ id: m, profile: eastron/sdm630, address: 1 }] }]',
  )
  const { code, out } = await linli(['doctor', '--json'], { folder })
  expect(JSON.parse(out).findings).toContainEqual(expect.objectContaining({ text: '/dev/linli-none is not there' }))
  expect(code).toBe(0)
  writeFileSync(join(folder, 'hub.yaml'), 'hub: { id: H }')
  const wrong = await linli(['doctor'], { folder })
  expect([wrong.code, /^BAD +settings .*: 1 mistakes$/m.test(wrong.out)]).toEqual([1, true])
})
