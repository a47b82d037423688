import { readdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { prometheusText } from '../../../../gateway/api/prometheus.ts'
import { createLog } from '../../../../gateway/io/log.ts'
import { directPort } from '../../../../gateway/store/direct-port.ts'
import type { Forecast } from '../../../../gateway/store/forecast.ts'
import { keepingFigures } from '../../../../gateway/store/keeping-figures.ts'
import type { KeepingReport } from '../../../../gateway/store/keeping-report.ts'
import { openStore } from '../../../../gateway/store/open.ts'
import type { OpenedStore } from '../../../../gateway/store/opened-store.ts'
import { VirtualClock } from '../../../../hardware-sim/clock.ts'
import { newEvents } from '../../../contract/memory-store.ts'
import { linli, temporaryFolder } from './told.ts'

const HOUR_MS = 3_600_000

/** A hub's folder with a log of two hours: a reading a minute. */
async function loggedFor2h(): Promise<{ folder: string; store: OpenedStore }> {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'hub.yaml'), 'hub: { id: hub-01 }\nstorage: { path: ./hub.db, maxSize: 16MB }\n')
  const clock = new VirtualClock()
  const log = createLog('error', false, () => undefined)
  const waits = { gatherMs: 0, urgentMs: 0, tailEvents: 0 }
  const path = join(folder, 'hub.db')
  const store = await openStore({ path, hub: 'hub-01', clock, log, ...waits, port: () => directPort() })
  for (let at = 0; at <= 2 * HOUR_MS; at += 60_000) {
    await store.append(newEvents(1, { wallMs: clock.wallMs() + at, monoMs: at, body: JSON.stringify('x'.repeat(200)) }))
  }
  return { folder, store }
}

test('of a hub that does not run, from its file, which stays as it was', async () => {
  const { folder, store } = await loggedFor2h()
  await store.close()
  const before = readdirSync(folder).sort()
  const { code, out, error } = await linli(['log', 'forecast', '--json'], { folder })
  expect([code, error]).toEqual([0, ''])
  const { bytesADay, daysUntilThinning, daysUntilLoss } = JSON.parse(out) as Forecast
  // 121 rows in two hours, each somewhere between fifty and three hundred bytes, and pages that are not full.
  expect(bytesADay.telemetry).toBeGreaterThan(121 * 12 * 50)
  expect(bytesADay.telemetry).toBeLessThan(121 * 12 * 600)
  expect(bytesADay.alarm).toBe(0)
  expect(daysUntilThinning).toBeGreaterThan(16e6 / 2 / (121 * 12 * 600))
  expect(daysUntilLoss.alarm).toBeUndefined()
  expect(readdirSync(folder).sort()).toEqual(before)
})

test('of a hub that runs, from itself: the file is in use, and without a token nobody is told', async () => {
  const { folder, store } = await loggedFor2h()
  onTestFinished(() => store.close())
  expect(await linli(['log', 'forecast'], { folder })).toEqual({
    code: 2,
    out: '',
    error: expect.stringContaining('in use'),
  })
})

test('the figures of a hub come back as the forecast that they are of', async () => {
  const forecast: Forecast = {
    writtenADay: 44_000_000,
    bytesADay: { telemetry: 2_500_000, status: 900, alarm: 0, audit: 10 },
    daysUntilThinning: 12.5,
    daysUntilLoss: { telemetry: 0.5, status: undefined, alarm: undefined, audit: 400 },
  }
  const of = { rows: 1, bytes: 1, oldestMs: undefined, evicted: { age: 0, size: 0 } }
  const classes = { telemetry: of, status: of, alarm: of, audit: of }
  const keeping: KeepingReport = { classes, usedBytes: 1, roomBytes: 1, thinned: 0, forecast }
  const disk = { state: 'well' as const, freeBytes: 1, ballastBytes: 1, writtenBytes: 5, writtenADay: 44_000_000 }
  let told = prometheusText(keepingFigures({ keeping, disk }, undefined))
  const server = createServer((_request, answer) => void answer.end(told))
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  onTestFinished(() => void server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const environment = { LINLI_TOKEN: 'linli_x' }
  const asJson = await linli(['log', 'forecast', '--url', url, '--json'], { environment })
  expect(JSON.parse(asJson.out)).toEqual(JSON.parse(JSON.stringify(forecast)))
  expect((await linli(['log', 'forecast', '--url', url], { environment })).out).toBe(
    'telemetry     2.5 MB a day   lost now or within a day\n' +
      'status        0.9 kB a day   lost never at this rate\n' +
      'alarm         0.0 kB a day   lost never at this rate\n' +
      'audit         0.0 kB a day   lost in 400 days\n' +
      'written      44.0 MB a day\n' +
      'readings are thinned in 12 days\n',
  )
  told = ''
  expect((await linli(['log', 'forecast', '--url', url], { environment })).error).toContain('ask in ten minutes')
})

test('what a log can be asked is told to who asks for something else', async () => {
  expect((await linli(['log', 'forcast'])).error).toContain('did you mean forecast?')
  expect((await linli(['log'])).error).toContain('one of export, forecast, salvage, verify is wanted')
})
