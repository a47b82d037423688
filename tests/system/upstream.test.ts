import { type AddressInfo, createServer, type Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { createClock } from '../../gateway/io/clock.ts'
import { Broker } from '../../hardware-sim/broker.ts'
import { newEvents } from '../contract/memory-store.ts'
import { eventually } from './eventually.ts'
import { atEnd, kept } from './kept.ts'
import { drained, fasterClock, runUpstream } from './upstream-rig.ts'

const simBroker = async (): Promise<Broker> => kept(await Broker.start({ clock: createClock() }))

describe('a broker that knows only MQTT 3.1.1', () => {
  test('is spoken to in its own version, and gets everything once', async () => {
    const broker = await simBroker()
    const upstream = kept(runUpstream({ url: broker.url }))
    await upstream.store.append(newEvents(3000))
    await drained(upstream)
    expect(broker.record.report()).toMatchObject({ unique: 3000, duplicates: 0, missing: 0 })
    expect(upstream.lines).toContain('info connected {"protocol":"MQTT 3.1.1"}')
  })

  test('after a cut: sends no more than a window twice, and is asked in 3.1.1 at once', async () => {
    const broker = await simBroker()
    const upstream = kept(runUpstream({ url: broker.url }))
    await upstream.store.append(newEvents(20_000))
    await eventually(() => broker.record.report().unique > 2000)
    await broker.cut()
    await eventually(() => !upstream.state().connected)
    await upstream.store.append(newEvents(500))
    await broker.restore()
    await drained(upstream)
    const { unique, duplicates, missing } = broker.record.report()
    expect({ unique, missing }).toEqual({ unique: 20_500, missing: 0 })
    expect(duplicates).toBeLessThanOrEqual(100)
  })

  test('says online, and offline when the hub ends', async () => {
    const broker = await simBroker()
    const upstream = runUpstream({ url: broker.url })
    await eventually(() => broker.record.lastOn('linli/hub-01/status') === '{"online":true}')
    await upstream.stop()
    expect(broker.record.lastOn('linli/hub-01/status')).toBe('{"online":false}')
  })

  test('the cursor outlives the hub: an orderly restart sends nothing twice', async () => {
    const broker = await simBroker()
    const first = runUpstream({ url: broker.url })
    await first.store.append(newEvents(20_000))
    await eventually(() => broker.record.report().unique > 1000)
    await first.stop()
    const reached = first.state().position?.seq ?? 0
    expect(reached).toBeLessThan(20_000)
    const second = kept(runUpstream({ url: broker.url }, { store: first.store }))
    await drained(second)
    expect(broker.record.report()).toMatchObject({ unique: 20_000, duplicates: 0, missing: 0 })
  })

  test('one that withholds every PUBACK is left after the time, and asked again', async () => {
    const broker = await simBroker()
    broker.behave({ kind: 'withhold' })
    const upstream = kept(runUpstream({ url: broker.url }, { clock: fasterClock(10) }))
    await upstream.store.append(newEvents(10))
    await eventually(() => upstream.state().lastError?.includes('has not acknowledged the first message'))
    broker.behave({ kind: 'well' })
    await drained(upstream)
  })
})

describe('a peer that is no broker', () => {
  /** Listens and does with each connection what the test says. */
  async function listener(each: (socket: Socket) => void): Promise<string> {
    const sockets = new Set<Socket>()
    const server = createServer((socket) => {
      sockets.add(socket)
      socket.on('error', () => undefined)
      each(socket)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    atEnd(async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    })
    return `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  test('takes the connection and never answers: left after ten seconds, with the reason', async () => {
    const url = await listener((socket) => socket.resume())
    const upstream = kept(runUpstream({ url }, { clock: fasterClock(20) }))
    await eventually(() => upstream.state().lastError?.includes('has not answered within 10000 ms'))
  })

  test('talks something else: left at once', async () => {
    const url = await listener((socket) => socket.write('SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n'))
    const upstream = kept(runUpstream({ url }))
    await eventually(() => upstream.state().lastError !== undefined, 3000)
    expect(upstream.state().connected).toBe(false)
  })

  test('is not there: asked again and again, at growing pauses, with one line in the log', async () => {
    const upstream = kept(runUpstream({ url: 'mqtt://127.0.0.1:9' }))
    await eventually(() => (upstream.figures().find((f) => f.name === 'linli_upstream_failures_total')?.value ?? 0) > 3)
    expect(upstream.lines).toEqual([expect.stringContaining('ECONNREFUSED')])
  })
})
