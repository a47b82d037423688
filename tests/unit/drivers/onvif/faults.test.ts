import { expect, test } from 'vitest'
import type { AnswerFault } from '../../../../hardware-sim/camera/faults.ts'
import { Rig, type RigOptions } from './rig.ts'

/** Longer than a subscription needs to count as a good one. */
const STOOD_MS = 20_000
const TROUBLE_MS = 30_000
/** The supervisor waits a minute at the most before its next try, and a question may be open for half of one. */
const BACK_WITHIN_MS = 65_000

interface Case {
  readonly rig?: RigOptions
  /** What goes wrong, for as long as `TROUBLE_MS` unless it is over at once. */
  begin(rig: Rig): void
  end?(rig: Rig): void
  /** Why it was deaf, as the event says. */
  readonly reason: RegExp
  readonly withinMs?: number
  readonly troubleMs?: number
}

/** The same fault for every answer, or for those of one operation. */
const answers = (fault: AnswerFault, operation = '*'): Pick<Case, 'begin' | 'end'> => ({
  begin: ({ camera }) => camera.faults.on(operation, fault),
  end: ({ camera }) => camera.faults.clear(),
})
const page = '<!DOCTYPE html><html><body>Login</body></html>'
const bomb = `<!DOCTYPE a [<!ENTITY b "${'c'.repeat(1000)}">]><a>${'&b;'.repeat(10_000)}</a>`
const soap = (body: string) =>
  `<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body>${body}</e:Body></e:Envelope>`

const FAULTS: Readonly<Record<string, Case>> = {
  'forgets its subscriptions': {
    begin: ({ camera }) => camera.forget(),
    troubleMs: 0,
    withinMs: 3000,
    reason: /Resource unknown/,
  },
  'refuses pulls': { ...answers({ kind: 'refuse', reason: 'try later' }, 'PullMessages'), reason: /try later/ },
  'refuses everything': { ...answers({ kind: 'refuse', reason: 'out of memory' }), reason: /out of memory/ },
  'is started anew': {
    begin: ({ camera }) => camera.reboot(20_000, 10_000),
    reason: /Resource unknown|hang up|HTTP 500/,
  },
  'is started anew, and its clock begins in 1970': {
    begin: ({ camera, clock }) => {
      camera.reboot(5000)
      camera.setSkew(-clock.wallMs())
    },
    troubleMs: 5000,
    reason: /Resource unknown|hang up/,
  },
  'has its clock set while it runs': {
    begin: ({ camera }) => camera.setSkew(7_200_000),
    troubleMs: 0,
    withinMs: 35_000,
    reason: /./,
  },
  'says nothing any more': { ...answers({ kind: 'silent' }), reason: /did not answer within/ },
  'answers byte by byte': { ...answers({ kind: 'drip', everyMs: 1000 }), reason: /did not answer within/ },
  'never ends its answer': { ...answers({ kind: 'endless' }), reason: /longer than 1000000 bytes/ },
  'hangs up in the middle': { ...answers({ kind: 'cut' }), reason: /hung up in the middle/ },
  'answers with a page': { ...answers({ kind: 'body', body: page }), reason: /holds a DOCTYPE/ },
  'answers with a bomb': { ...answers({ kind: 'body', body: bomb }), reason: /holds a DOCTYPE/ },
  'answers with a well without bottom': {
    ...answers({ kind: 'body', body: '<a>'.repeat(100_000) }),
    reason: /no SOAP message/,
  },
  'answers with noise': { ...answers({ kind: 'body', body: '\u0000\u0001\uFFFD<<<' }), reason: /no SOAP message/ },
  'answers with nothing': { ...answers({ kind: 'body', body: '' }), reason: /no SOAP message/ },
  'answers with XML that is no SOAP': { ...answers({ kind: 'body', body: '<a/>' }), reason: /without a SOAP message/ },
  'answers a pull with something else': {
    ...answers({ kind: 'body', body: soap('<GetServicesResponse/>') }, 'PullMessages'),
    reason: /answers PullMessages with something else/,
  },
  'answers with an empty body': { ...answers({ kind: 'body', body: soap('') }), reason: /with something else/ },
  'sends us elsewhere': {
    ...answers({ kind: 'status', status: 302, headers: { location: 'http://198.51.100.9/' } }),
    reason: /sends us elsewhere \(HTTP 302\), which is never followed/,
  },
  'answers HTTP 500': { ...answers({ kind: 'status', status: 500 }), reason: /HTTP 500/ },
  'answers HTTP 503 without a page': { ...answers({ kind: 'status', status: 503, body: '' }), reason: /HTTP 503/ },
  'answers HTTP 404': { ...answers({ kind: 'status', status: 404 }), reason: /HTTP 404/ },
  'has no room for subscriptions': {
    begin: ({ camera }) => {
      camera.faults.on('CreatePullPointSubscription', { kind: 'refuse', reason: 'no more subscriptions' })
      camera.forget()
    },
    end: ({ camera }) => camera.faults.clear(),
    reason: /Resource unknown/,
  },
  'confirms pulls and brings nothing': {
    rig: { options: { quiet: '15s' } },
    begin: ({ camera }) => camera.faults.set({ deaf: true }),
    end: ({ camera }) => camera.faults.set({ deaf: false }),
    troubleMs: 60_000,
    reason: /events no longer come/,
  },
  'asks for HTTP Digest from one day to the next': {
    rig: { camera: { schemes: ['digest'], nonceMs: 1 } },
    begin: ({ camera }) => camera.forget(),
    troubleMs: 0,
    withinMs: 3000,
    reason: /Resource unknown/,
  },
}

test.each(Object.entries(FAULTS))(
  'a camera that %s is heard again, and its deaf time is told',
  async (_name, fault) => {
    const rig = new Rig(fault.rig)
    rig.supervise()
    await rig.advance(STOOD_MS)
    rig.camera.motion(true)
    await rig.advance(500)
    expect(rig.motions()).toEqual(['still (initial)', 'moves'])
    const beganMs = rig.clock.wallMs()
    const askedBefore = rig.asked.length
    fault.begin(rig)
    await rig.advance(fault.troubleMs ?? TROUBLE_MS)
    fault.end?.(rig)
    const endedMs = rig.clock.wallMs()

    // Something moves now and then; the first that is heard ends the waiting.
    const before = rig.motions().length
    let active = true
    const tookMs = await rig.until(() => {
      active = !active
      rig.camera.motion(active)
      return rig
        .motions()
        .slice(before)
        .some((motion) => !motion.includes('initial'))
    }, fault.withinMs ?? BACK_WITHIN_MS)
    expect(tookMs).toBeLessThanOrEqual(fault.withinMs ?? BACK_WITHIN_MS)

    const spans = rig.blind().filter(({ ongoing }) => ongoing === undefined)
    if (rig.blind().length > 0) {
      // The span begins before the trouble, with the last word, and ends after it, with the new subscription.
      const first = spans[0]!
      expect(Date.parse(first.from as string)).toBeLessThanOrEqual(beganMs + 100)
      expect(Date.parse(first.from as string)).toBeGreaterThanOrEqual(beganMs - 31_000)
      expect(Date.parse(spans.at(-1)!.to as string)).toBeGreaterThanOrEqual(endedMs - 100)
      expect(Date.parse(spans.at(-1)!.to as string)).toBeLessThanOrEqual(rig.clock.wallMs())
      for (const { from, to, seconds } of spans) {
        expect(seconds).toBeCloseTo((Date.parse(to as string) - Date.parse(from as string)) / 1000, 1)
      }
      expect(first.reason).toMatch(fault.reason)
      expect(rig.marks.at(-1)).toBeUndefined()
    } else expect(fault.reason.source).toBe('.')

    // Nobody is hammered: a few questions for each try, and tries that become fewer.
    expect(rig.asked.length - askedBefore).toBeLessThan(80)
    expect(rig.faults.every(({ reach }) => reach === 'connection')).toBe(true)
    await rig.stop()
    expect(rig.clock.pending).toBe(0)
  },
)

test('a camera that is not there is an alarm at once, told once, and over when it comes', async () => {
  const rig = new Rig()
  rig.camera.reboot(600_000)
  rig.supervise()
  await rig.advance(590_000)
  expect(rig.blind()).toEqual([
    {
      from: '2026-11-23T08:00:00.000Z',
      to: '2026-11-23T08:00:00.000Z',
      seconds: 0,
      reason: '192.0.2.7: socket hang up',
      code: 'econnreset',
      ongoing: true,
    },
  ])
  // The supervisor's pauses: half a second, then doubled up to a minute.
  expect(rig.asked.length).toBeLessThan(25)
  await rig.until(() => rig.motions().length > 0, BACK_WITHIN_MS)
  const [, over] = rig.blind()
  expect(over).toMatchObject({ from: '2026-11-23T08:00:00.000Z', reason: '192.0.2.7: socket hang up' })
  expect(over?.seconds).toBeGreaterThanOrEqual(600)
  expect(over?.seconds).toBeLessThanOrEqual(660)
  expect(rig.of('linli.camera.blind').map((event) => event.class)).toEqual(['alarm', 'alarm'])
  await rig.stop()
})

test('a clock that is set in the deaf time does not bend it', async () => {
  const rig = new Rig()
  rig.supervise()
  await rig.advance(STOOD_MS)
  rig.camera.reboot(10_000)
  await rig.advance(5000)
  rig.clock.jumpWall(86_400_000)
  await rig.until(() => rig.blind().some(({ ongoing }) => ongoing === undefined))
  const span = rig.blind().at(-1)!
  expect(span.seconds).toBeLessThan(90)
  expect(Date.parse(span.to as string) - Date.parse(span.from as string)).toBeLessThan(90_000)
  await rig.stop()
})
