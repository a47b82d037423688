import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startApi } from '../../gateway/api/server.ts'
import { createClock } from '../../gateway/io/clock.ts'
import { MemoryStore, newEvents } from '../contract/memory-store.ts'
import { hubFacts, noBackup, nobodysDesk, noConnections } from '../unit/gateway/api/api-rig.ts'
import { eventually } from './eventually.ts'
import { atEnd, kept } from './kept.ts'
import { Mosquitto } from './mosquitto.ts'
import { needs } from './needs.ts'
import { drained, logInto, runUpstream } from './upstream-rig.ts'

let folder: string
const file = (name: string): string => join(folder, name)
const openssl = (...words: string[]): void => void execFileSync('openssl', words, { cwd: folder, stdio: 'pipe' })

/** An authority of the test's own, with a certificate for 127.0.0.1, one that has expired, and one for the hub. */
function makeCertificates(): void {
  folder = mkdtempSync(join(tmpdir(), 'tls-'))
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=Test authority')
  writeFileSync(file('names'), 'subjectAltName=IP:127.0.0.1\n')
  for (const [name, days] of [
    ['server', '2'],
    ['expired', '-1'],
    ['hub', '2'],
  ] as const) {
    openssl('req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`)
    const signing = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', days, '-extfile', 'names']
    openssl('x509', '-req', '-in', `${name}.csr`, '-out', `${name}.pem`, ...signing)
  }
}

describe('TLS', needs('mosquitto', 'openssl'), () => {
  beforeAll(() => makeCertificates())
  afterAll(() => rmSync(folder, { recursive: true }))

  const broker = async (certificate: string, ...settings: string[]) =>
    kept(
      await Mosquitto.start(settings, [
        'listener {port} 127.0.0.1',
        `cafile ${file('ca.pem')}`,
        `certfile ${file(`${certificate}.pem`)}`,
        `keyfile ${file(`${certificate}.key`)}`,
      ]),
    )
  const url = (mosquitto: Mosquitto): string => `mqtts://127.0.0.1:${mosquitto.port}`

  test('a broker that the authority vouches for gets the events', async () => {
    const upstream = kept(runUpstream({ url: url(await broker('server')), ca: file('ca.pem') }))
    await upstream.store.append(newEvents(100))
    await drained(upstream)
  })

  test('one that nobody vouches for, or whose certificate has expired, gets nothing', async () => {
    const unknown = kept(runUpstream({ url: url(await broker('server')) }))
    const expired = kept(runUpstream({ url: url(await broker('expired')), ca: file('ca.pem') }))
    await eventually(() => unknown.state().lastError !== undefined && expired.state().lastError !== undefined)
    expect(unknown.state()).toMatchObject({ connected: false, lastError: expect.stringMatching(/certificate/) })
    expect(expired.state()).toMatchObject({ connected: false, lastError: expect.stringMatching(/expired/) })
  })

  test('a hub that does not know the time looks for the fault in its clock, and says so once', async () => {
    const clock = Object.assign(createClock(), { state: () => 'never' as const })
    const upstream = kept(runUpstream({ url: url(await broker('expired')), ca: file('ca.pem') }, { clock }))
    await eventually(() => (upstream.figures().find(({ name }) => name.includes('failures'))?.value ?? 0) >= 3)
    expect(upstream.state().lastError).toMatch(/expired, as far as this hub can tell: its clock was never set;/)
    expect(upstream.lines.filter((line) => line.includes('its clock'))).toHaveLength(1)
  })

  test('a hub shows its own certificate to a broker that asks for one; its key may be a secret', async () => {
    const mosquitto = await broker('server', 'require_certificate true', 'use_identity_as_username true')
    const key = { secret: 'hub-key' }
    const secrets = { 'hub-key': readFileSync(file('hub.key'), 'utf8') }
    const options = { url: url(mosquitto), ca: file('ca.pem'), cert: file('hub.pem') }
    const shown = kept(runUpstream({ ...options, key }, { secrets }))
    await eventually(() => shown.state().connected)
    const withFile = kept(runUpstream({ ...options, key: file('hub.key'), clientId: 'two' }))
    await eventually(() => withFile.state().connected)
    const without = kept(runUpstream({ url: url(mosquitto), ca: file('ca.pem'), clientId: 'three' }))
    await eventually(() => without.state().lastError !== undefined)
    expect(without.state().connected).toBe(false)
  })

  test('a file that is not there is said with its setting', async () => {
    const upstream = kept(runUpstream({ url: 'mqtts://127.0.0.1:1', ca: '/nowhere/ca.pem' }))
    await eventually(() => upstream.state().lastError?.includes("mqtt.ca: /nowhere/ca.pem can't be read"))
  })

  test('the pull API serves HTTPS', async () => {
    const stop = new AbortController()
    const api = await startApi({
      listen: '127.0.0.1:0',
      tls: { cert: file('server.pem'), key: file('server.key') },
      hub: hubFacts,
      key: Buffer.alloc(32),
      store: new MemoryStore(),
      desk: nobodysDesk,
      connections: noConnections,
      backup: noBackup,
      clock: createClock(),
      log: logInto([]),
      signal: stop.signal,
      consumers: [],
      tokens: { verify: () => undefined },
      health: () => ({ ok: true }),
      figures: () => [],
    })
    atEnd(() => api.close())
    expect(api.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/)
    const text = await new Promise((resolve, reject) => {
      const ca = readFileSync(file('ca.pem'))
      const asking = request(`${api.url}/healthz`, { ca }, (answer) =>
        answer.on('data', (part) => resolve(String(part))),
      )
      asking.on('error', reject).end()
    })
    expect(text).toBe('{"ok":true}')
  })
})
