import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, expect, test } from 'vitest'
import { parse } from 'yaml'
import { clock, closeClient, foreignClient, SMALL_PROFILE, temporaryFolder } from './sim-parts.ts'

const CLI = join(import.meta.dirname, '../../hardware-sim/cli.ts')
const endings: (() => unknown)[] = []
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end()
})

/** A line of the simulator, as far as these tests look into it. */
interface Said {
  readonly ok: boolean
  readonly ready: boolean
  readonly folder: string
  readonly settings: string
  readonly lines: readonly { readonly id: string; readonly path: string }[]
  readonly modbusTcp: readonly { readonly port: number }[]
  readonly camera: { readonly port: number }
  readonly broker: { readonly url: string; readonly cutOff: boolean }
}

interface Sim {
  readonly child: ChildProcessWithoutNullStreams
  readonly next: () => Promise<Said>
  readonly ask: (command: object) => Promise<Said>
  readonly exit: Promise<{ readonly code: number | null; readonly errors: string }>
  /** What it left behind in its folder for temporary files. */
  readonly left: () => readonly string[]
}

/** @param scenario undefined: the default one */
function start(scenario: object | undefined, ...words: string[]): Sim {
  const folder = temporaryFolder()
  endings.push(() => folder.remove())
  const file = join(folder.path, 'scenario.json')
  if (scenario !== undefined) writeFileSync(file, JSON.stringify(scenario))
  const env = { ...process.env, TMPDIR: folder.path }
  const child = spawn(
    process.execPath,
    [CLI, '--json', ...(scenario === undefined ? [] : ['--scenario', file]), ...words],
    { env },
  )
  endings.push(() => child.kill('SIGKILL'))
  let errors = ''
  child.stderr.on('data', (bytes: Buffer) => {
    errors += bytes.toString()
  })
  const exit = new Promise<{ code: number | null; errors: string }>((resolve) =>
    child.once('close', (code) => resolve({ code, errors })),
  )
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const next = async (): Promise<Said> => JSON.parse(String((await lines.next()).value ?? 'null'))
  const ask = (command: object): Promise<Said> => {
    child.stdin.write(`${JSON.stringify(command)}\n`)
    return next()
  }
  const left = (): readonly string[] => readdirSync(folder.path).filter((name) => name !== 'scenario.json')
  return { child, next, ask, exit, left }
}

const SCENARIO = {
  lines: [
    {
      id: 'line-1',
      baud: 115_200,
      meters: [1, 2].map((address) => ({ id: `m-${address}`, address, profile: SMALL_PROFILE })),
    },
  ],
  modbusTcp: [{ id: 'plc', meters: [{ id: 'p-1', address: 1, profile: SMALL_PROFILE }] }],
}

async function voltsOn(path: string, unit: number): Promise<number> {
  const client = foreignClient(100)
  await client.connectRTUBuffered(path, { baudRate: 115_200 })
  client.setID(unit)
  try {
    return Buffer.from((await client.readInputRegisters(0, 2)).buffer).readFloatBE(0)
  } finally {
    await closeClient(client)
  }
}

test('it says where everything is, writes settings that point there, and obeys', async () => {
  const sim = start(SCENARIO)
  const ready = await sim.next()
  expect(ready).toMatchObject({
    ready: true,
    lines: [{ id: 'line-1' }],
    modbusTcp: [{ id: 'plc', host: '127.0.0.1' }],
    broker: { id: 'city' },
  })
  const settings = parse(readFileSync(ready.settings, 'utf8'))
  expect(settings.connections[0].rs485.port).toBe(ready.lines[0]!.path)
  expect(settings.connections[1].modbusTcp.port).toBe(ready.modbusTcp[0]!.port)
  expect(settings.upstream[0].mqtt.url).toBe(ready.broker.url)

  expect(await voltsOn(ready.lines[0]!.path, 1)).toBeGreaterThan(220)
  expect(await sim.ask({ do: 'silence', meter: 'm-1', id: 7 })).toEqual({ ok: true, id: 7, do: 'silence' })
  await expect(voltsOn(ready.lines[0]!.path, 1)).rejects.toThrow('Timed out')
  expect(await voltsOn(ready.lines[0]!.path, 2)).toBeGreaterThan(220)
  await sim.ask({ do: 'fault', what: 'm-1', fault: null })
  expect(await voltsOn(ready.lines[0]!.path, 1)).toBeGreaterThan(220)

  expect(await sim.ask({ do: 'cut', what: 'line-1' })).toMatchObject({ ok: true })
  expect(existsSync(ready.lines[0]!.path)).toBe(false)
  expect(await sim.ask({ do: 'restore', what: 'line-1' })).toMatchObject({ ok: true })
  expect(await voltsOn(ready.lines[0]!.path, 2)).toBeGreaterThan(220)

  const report = await sim.ask({ do: 'report' })
  expect(report).toMatchObject({ ok: true, broker: { received: 0 }, lines: { 'line-1': { requests: 5, answers: 4 } } })
  expect(await sim.ask({ do: 'end' })).toMatchObject({ ok: true, end: true })
  expect(await sim.exit).toEqual({ code: 0, errors: '' })
  expect(sim.left()).toEqual([])
})

test('what it does not understand or has not got is answered in words', async () => {
  const sim = start(SCENARIO)
  await sim.next()
  expect(await sim.ask({ do: 'silence', meter: 'm-9' })).toMatchObject({
    ok: false,
    error: expect.stringMatching(/m-9.*m-1/),
  })
  expect(await sim.ask({ do: 'fly' })).toMatchObject({ ok: false, error: expect.stringContaining('report') })
  expect(await sim.ask({ do: 'door', act: 'open' })).toMatchObject({
    ok: false,
    error: expect.stringContaining('no door'),
  })
  sim.child.stdin.write('not json\n')
  expect(await sim.next()).toMatchObject({ ok: false, error: expect.stringContaining('JSON') })
})

test('without a scenario it is the default community, with all of its parts', async () => {
  const sim = start(undefined, '--dead-meter')
  const ready = await sim.next()
  expect(ready.lines.map(({ id }) => id)).toEqual(['line-1', 'line-2'])
  expect(ready.modbusTcp.length).toBe(1)
  expect(ready).toMatchObject({ camera: { id: 'cam-lobby' }, door: { id: 'gate' }, broker: { id: 'city' } })
  const { devices } = parse(readFileSync(ready.settings, 'utf8')).connections[0]
  expect(devices[0]).toMatchObject({ id: 'meter-301', profile: 'eastron/sdm630', address: 1 })
  expect((await sim.ask({ do: 'report' })).ok).toBe(true)
  sim.child.stdin.end()
  expect(await sim.exit).toEqual({ code: 0, errors: '' })
  expect(sim.left()).toEqual([])
})

test('the camera loses its power and gets it again; the door tells whether it let somebody through', async () => {
  const sim = start({ camera: {}, door: {}, broker: false })
  const ready = await sim.next()
  const there = (): Promise<boolean> =>
    fetch(`http://127.0.0.1:${ready.camera.port}/snapshot.jpg`).then(
      () => true,
      () => false,
    )
  expect(await there()).toBe(true)
  expect(await sim.ask({ do: 'cut', what: 'camera' })).toMatchObject({ ok: true })
  expect(await there()).toBe(false)
  expect(await sim.ask({ do: 'motion', active: true })).toMatchObject({ ok: true })
  expect(await sim.ask({ do: 'restore', what: 'cam-lobby' })).toMatchObject({ ok: true })
  expect(await there()).toBe(true)
  // No hub holds the lock's line, so it is locked.
  expect(await sim.ask({ do: 'door', act: 'open' })).toMatchObject({ ok: true, passed: false, door: { open: false } })
  expect(await sim.ask({ do: 'door', act: 'force' })).toMatchObject({ ok: true, door: { open: true } })
  sim.child.stdin.end()
  expect(await sim.exit).toEqual({ code: 0, errors: '' })
  expect(sim.left()).toEqual([])
})

test.each(['SIGTERM', 'SIGINT', 'SIGHUP', 'end of input'] as const)(
  'it ends on %s and leaves nothing behind',
  async (how) => {
    const sim = start(SCENARIO)
    const ready = await sim.next()
    // A client that is still there must not hold it up.
    const socket = connect(ready.modbusTcp[0]!.port, '127.0.0.1')
    endings.push(() => socket.destroy())
    await once(socket, 'connect')
    if (how === 'end of input') sim.child.stdin.end()
    else sim.child.kill(how)
    expect(await sim.exit).toEqual({ code: 0, errors: '' })
    expect(existsSync(ready.folder)).toBe(false)
    expect(readdirSync(tmpdir())).not.toContain(ready.folder.slice(tmpdir().length + 1))
  },
)

test('a script of the scenario acts at its time', async () => {
  const script = [
    { at: '100ms', command: { do: 'cut', what: 'broker' } },
    { at: '150ms', command: { do: 'cut', what: 'nothing' } },
  ]
  const sim = start({ ...SCENARIO, script })
  const ready = await sim.next()
  expect(await sim.next()).toMatchObject({ script: true, ok: true, do: 'cut' })
  expect(await sim.next()).toMatchObject({ script: true, ok: false, error: expect.stringContaining('nothing') })
  await clock.sleep(1)
  expect((await sim.ask({ do: 'report' })).broker.cutOff).toBe(true)
  expect(ready.ready).toBe(true)
})

test('a profile that is not there and a port in use are told in a line, and nothing is left', async () => {
  const unknown = start({ lines: [{ id: 'line-1', meters: [{ id: 'a', address: 1, profile: 'nobody/nothing' }] }] })
  expect(await unknown.exit).toMatchObject({ code: 2, errors: expect.stringContaining('nobody/nothing') })
  const first = start({ broker: {} })
  const port = Number((await first.next()).broker.url.split(':').at(-1))
  const second = start({ broker: { port } })
  const { code, errors } = await second.exit
  expect(code).toBe(2)
  expect(errors).toContain('EADDRINUSE')
  expect(errors.trim().split('\n').length).toBe(1)
  expect([unknown.left(), second.left()]).toEqual([[], []])
})

test('a scenario with mistakes is told, with paths, and nothing is started', async () => {
  const sim = start({ lines: [{ id: 'line-1', meters: [{ id: 'a', address: 999 }] }], door: 5 })
  const { code, errors } = await sim.exit
  expect(code).toBe(2)
  expect(errors).toContain('lines[0].meters[0].address')
  expect(errors).toContain('door')
  expect(errors).not.toContain('    at ')
})
