import { expect, test } from 'vitest'
import type { Host } from '../../../../gateway/contract/driver.ts'
import { Fault } from '../../../../gateway/contract/fault.ts'
import { createSupervisor } from '../../../../gateway/core/supervisor.ts'
import { coreParts, driverOf, type Options, told } from './parts.ts'

const untilAbort = (host: Host<Options>): Promise<void> =>
  new Promise((resolve) => host.signal.addEventListener('abort', () => resolve(), { once: true }))

test('a lost connection is started again, ever later, and its neighbour feels nothing', async () => {
  const { clock, parts, stored } = coreParts()
  const supervisor = createSupervisor(parts)
  const starts: number[] = []
  let beats = 0
  const sick = driverOf(async () => {
    starts.push(clock.monoMs())
    throw new Fault('connection', 'no such port: /dev/ttyUSB9', { code: 'port', hint: 'plug it in' })
  })
  const well = driverOf(async (host) => {
    while (!host.signal.aborted) {
      beats += 1
      await host.clock.sleep(1000, host.signal)
    }
  })
  await supervisor.apply([
    { id: 'sick', driver: sick, options: { devices: ['m1'] } },
    { id: 'well', driver: well, options: { devices: [] } },
  ])
  await clock.advance(10_000)
  // Pauses of 500, 1000, 2000, 4000 ms less a quarter (chance is fixed at one half).
  expect(starts).toEqual([0, 375, 1125, 2625, 5625])
  expect(beats).toBe(11)
  expect(supervisor.health()).toEqual([
    {
      id: 'sick',
      kind: 'test',
      state: 'waiting',
      restarts: 4,
      trouble: { code: 'port', message: 'no such port: /dev/ttyUSB9', hint: 'plug it in' },
      devices: [{ id: 'm1', ok: true }],
    },
    { id: 'well', kind: 'test', state: 'running', restarts: 0, devices: [] },
  ])
  // Said once, not once per try.
  expect(told(stored).filter((line) => line.startsWith('connections/sick'))).toEqual([
    'connections/sick linli.connection.state {"state":"waiting","kind":"test","code":"port","message":"no such port: /dev/ttyUSB9","hint":"plug it in"}',
  ])
  await supervisor.stop()
})

test('a mistake in the settings parks one connection until its settings change', async () => {
  const { clock, parts } = coreParts()
  const supervisor = createSupervisor(parts)
  let runs = 0
  const driver = driverOf(async (host) => {
    runs += 1
    if (host.options.note === 'bad') throw new Fault('setup', 'unknown profile eastron/sdm99')
    await untilAbort(host)
  })
  await supervisor.apply([{ id: 'line', driver, options: { devices: [], note: 'bad' } }])
  await clock.advance(3_600_000)
  expect(runs).toBe(1)
  expect(supervisor.health()[0]?.state).toBe('parked')
  expect(await supervisor.apply([{ id: 'line', driver, options: { devices: [], note: 'good' } }])).toEqual({
    started: ['line'],
    stopped: ['line'],
  })
  await clock.advance(2000)
  expect(runs).toBe(2)
  expect(supervisor.health()[0]?.state).toBe('running')
  await supervisor.stop()
})

test('new settings touch only the connections that changed', async () => {
  const { clock, parts } = coreParts()
  const supervisor = createSupervisor(parts)
  const lives: string[] = []
  const driver = driverOf(async (host) => {
    lives.push(`${host.connection} begins`)
    await untilAbort(host)
    lives.push(`${host.connection} ends`)
  })
  const plan = (id: string, note: string) => ({ id, driver, options: { devices: [], note } })
  await supervisor.apply([plan('a', '1'), plan('b', '1'), plan('c', '1')])
  await clock.advance(10)
  await supervisor.apply([plan('a', '1'), plan('b', '2'), plan('d', '1')])
  await clock.advance(10)
  expect(lives).toEqual(['a begins', 'b begins', 'c begins', 'b ends', 'c ends', 'b begins', 'd begins'])
  await supervisor.stop()
})

test('what is not a Fault is a bug and breaks the supervisor', async () => {
  const { clock, parts } = coreParts()
  const supervisor = createSupervisor(parts)
  const driver = driverOf(async () => {
    throw new TypeError('undefined is not a function')
  })
  await supervisor.apply([{ id: 'line', driver, options: { devices: [] } }])
  await clock.advance(1)
  await expect(supervisor.broken).rejects.toThrow('undefined is not a function')
})

test('a driver that ends by itself is started again', async () => {
  const { clock, parts } = coreParts()
  const supervisor = createSupervisor(parts)
  let runs = 0
  await supervisor.apply([
    {
      id: 'line',
      driver: driverOf(async () => {
        runs += 1
      }),
      options: { devices: [] },
    },
  ])
  await clock.advance(1000)
  expect(runs).toBe(2)
  await supervisor.stop()
})

test('trouble with a device is said once when it comes and once when it goes', async () => {
  const { clock, parts, stored } = coreParts()
  const supervisor = createSupervisor(parts)
  const driver = driverOf(async (host) => {
    for (let poll = 0; poll < 10; poll++) {
      host.mark('m1', poll < 5 ? new Fault('device', 'no answer', { code: 'timeout' }) : undefined)
      await host.clock.sleep(1000, host.signal)
    }
    await untilAbort(host)
  })
  await supervisor.apply([{ id: 'line', driver, options: { devices: ['m1', 'm2'] } }])
  await clock.advance(3000)
  expect(supervisor.health()[0]?.devices).toEqual([
    { id: 'm1', ok: false, trouble: { code: 'timeout', message: 'no answer' } },
    { id: 'm2', ok: true },
  ])
  await clock.advance(10_000)
  expect(told(stored).filter((line) => line.startsWith('devices/'))).toEqual([
    'devices/m1 linli.device.state {"state":"trouble","code":"timeout","message":"no answer"}',
    'devices/m1 linli.device.state {"state":"well"}',
  ])
  await supervisor.stop()
})

test('after its life a driver has nothing to say', async () => {
  const { clock, parts, stored } = coreParts()
  const supervisor = createSupervisor(parts)
  const driver = driverOf(async (host) => {
    host.clock.after(100, () => {
      void host.emit([{ type: 'late', class: 'status', privacy: 'public', monoMs: 0, data: {} }])
      host.mark('m1', new Fault('device', 'late'))
    })
    throw new Fault('setup', 'wrong')
  })
  await supervisor.apply([{ id: 'line', driver, options: { devices: ['m1'] } }])
  await clock.advance(1000)
  expect(stored.map(({ type }) => type)).toEqual(['linli.connection.state'])
  await supervisor.stop()
})

test('a command finds who serves its verb for its device, only while that lives', async () => {
  const { clock, parts } = coreParts()
  const supervisor = createSupervisor(parts)
  const driver = driverOf(async (host) => {
    host.serve('unlock', async () => ({ result: 'executed' }))
    await untilAbort(host)
  })
  await supervisor.apply([{ id: 'gate', driver, options: { devices: ['door-1'] } }])
  await clock.advance(10)
  expect(supervisor.served('door-2')).toBeUndefined()
  const door = supervisor.served('door-1')
  expect(door?.handler('open')).toBeUndefined()
  const handler = door?.handler('unlock')
  const asked = { id: 'c1', device: 'door-1', verb: 'unlock', arguments: {}, expect: {} }
  expect(await handler?.({ ...asked, deadlineMonoMs: 1000, by: 'test' })).toEqual({ result: 'executed' })
  await supervisor.stop()
  expect(door?.handler('unlock')).toBeUndefined()
  expect(supervisor.served('door-1')).toBeUndefined()
})

test('a thousand restarts leave no timer behind', async () => {
  const { clock, parts } = coreParts()
  const supervisor = createSupervisor(parts)
  const driver = driverOf(async (host) => {
    await host.clock.sleep(10, host.signal)
    throw new Fault('reply', 'garbage')
  })
  await supervisor.apply([{ id: 'line', driver, options: { devices: [] } }])
  await clock.advance(10_000_000)
  expect(supervisor.health()[0]?.restarts).toBeGreaterThan(1000)
  expect(clock.pending).toBeLessThanOrEqual(2)
  await supervisor.stop()
  expect(clock.pending).toBe(0)
})
