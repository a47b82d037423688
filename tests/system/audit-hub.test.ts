import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connectAsync } from 'mqtt'
import { expect, test, vi } from 'vitest'
import { createToken, type PlainSettings } from '../../hardware-sim/demo/hub.ts'
import { linli } from '../unit/gateway/cli/told.ts'
import { Community, tcpMeters } from './community.ts'
import { eventually } from './eventually.ts'
import { atEnd, kept } from './kept.ts'
import { Mosquitto } from './mosquitto.ts'
import { needs } from './needs.ts'

vi.setConfig({ testTimeout: 60_000 })

interface AuditEvent {
  readonly type: string
  readonly linliseq: number
  readonly data: { readonly seq?: number; readonly publicKey?: string }
}

test('the platform hears of the end of a hub, with a head of all its chain, and with the key from the interface it proves the log', {
  ...needs('mosquitto'),
}, async () => {
  const broker = kept(await Mosquitto.start())
  const upstream = [{ id: 'city', mqtt: { url: broker.url }, rights: { types: ['linli.*'], privacy: 'sensitive' } }]
  const change = (settings: PlainSettings): PlainSettings => ({ ...settings, upstream })
  const place = await Community.start({ modbusTcp: [tcpMeters(2, '200ms')] }, change)
  atEnd(() => place.end())
  const heard: AuditEvent[] = []
  const platform = await connectAsync(broker.url)
  atEnd(() => platform.endAsync(true))
  platform.on('message', (_topic, payload) => heard.push(JSON.parse(payload.toString()) as AuditEvent))
  await platform.subscribeAsync('linli/+/events/audit', { qos: 1 })

  const hub = await place.startHub()
  await eventually(() => heard.some(({ type }) => type === 'linli.hub.started'))
  const token = await createToken(place.settings, 'property')
  const answer = await fetch(`${place.client.url}/v1/hub`, { headers: { authorization: `Bearer ${token}` } })
  const { auditKey } = (await answer.json()) as { auditKey: { publicKey: string; fingerprint: string } }
  expect(JSON.parse((await linli(['audit', 'key', '--json', '--settings', place.settings])).out)).toEqual(auditKey)
  expect((await linli(['audit', 'verify', '--settings', place.settings])).code).toBe(0)

  expect(await hub.stop()).toEqual({ code: 0, signal: null })
  await eventually(() => heard.at(-1)?.type === 'linli.audit.head')
  const stopped = heard.find(({ type }) => type === 'linli.hub.stopped')
  expect(heard.at(-1)?.data.seq).toBe(stopped?.linliseq)
  const [key, heads] = [join(place.folder, 'key.pem'), join(place.folder, 'heads.ndjson')]
  writeFileSync(key, auditKey.publicKey)
  writeFileSync(heads, heard.map((event) => `${JSON.stringify(event)}\n`).join(''))
  const verify = ['audit', 'verify', '--json', '--settings', place.settings, '--key', key, '--head', heads]
  const { code, out } = await linli(verify)
  expect({ code, ...JSON.parse(out) }).toMatchObject({
    code: 0,
    keyFrom: 'given',
    heads: { heldSeq: stopped?.linliseq },
  })
})
