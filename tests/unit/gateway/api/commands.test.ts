import { beforeEach, expect, test } from 'vitest'
import { DeskRig } from '../core/desk-rig.ts'
import { apiForEachTest, type Got } from './api-rig.ts'

const rig = apiForEachTest()
let gate: DeskRig

beforeEach(async () => {
  gate = new DeskRig()
  rig.desk = await gate.start()
  rig.commands = [{ verbs: ['unlock'], devices: ['gate*'] }]
  await rig.restart({})
})

let keys = 0
function post(body: unknown, { key, wait }: { key?: string | null; wait?: string } = {}): Promise<Got> {
  keys += 1
  const headers: Record<string, string> = key === null ? {} : { 'idempotency-key': key ?? `key-${keys}` }
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return rig.ask(`/v1/commands${wait === undefined ? '' : `?wait=${wait}`}`, { method: 'POST', headers, body: text })
}

const UNLOCK = { device: 'gate', verb: 'unlock' }

test('a command is done, told with its effect, and found again by its id', async () => {
  const got = await post({ ...UNLOCK, expect: { open: false }, within: '5s' }, { key: 'first' })
  expect(got.status, got.text).toBe(200)
  expect(got.json).toEqual({
    id: 'id of consumer:property first',
    by: 'consumer:property',
    device: 'gate',
    verb: 'unlock',
    received: '2026-11-23T08:00:00.000Z',
    state: 'executed',
    effect: { opened: true },
  })
  expect(gate.pulses).toMatchObject([{ expect: { open: false }, deadlineMonoMs: 5000 }])
  const again = await rig.ask(encodeURI(got.headers.get('location') ?? ''))
  expect([again.status, again.json]).toEqual([200, got.json])
  expect((await post({ ...UNLOCK, expect: { open: false } }, { key: 'first' })).json).toEqual(got.json)
  expect(gate.pulses).toHaveLength(1)
})

test('one that takes longer than the caller waits goes on', async () => {
  let end = (): void => undefined
  gate.act = () =>
    new Promise((resolve) => {
      end = () => resolve({ result: 'rejected', reason: 'the fire panel holds the door released' })
    })
  const got = await post(UNLOCK, { wait: '0s' })
  expect([got.status, got.json]).toMatchObject([202, { state: 'executing' }])
  const look = () => rig.ask(encodeURI(got.headers.get('location') ?? ''))
  expect((await look()).json).toMatchObject({ state: 'executing' })
  end()
  await expect
    .poll(async () => (await look()).json)
    .toMatchObject({ state: 'rejected', reason: 'the fire panel holds the door released' })
})

test('what is refused says why and the way out, and nothing moves', async () => {
  const cases: [Promise<Got>, number, string, string][] = [
    [post({ device: 'gate', verb: 'lock' }), 403, 'forbidden', 'consumer:property may not lock gate'],
    [post({ device: 'gate-9', verb: 'unlock' }), 404, 'not-found', 'there is no device gate-9'],
    [post({ ...UNLOCK, arguments: { for: 1 } }), 422, 'command-refused', 'arguments: Unrecognized key: "for"'],
    [post({ ...UNLOCK, issued: '2026-11-23T07:59:00Z' }), 422, 'command-expired', 'its time was over when it came'],
    [post(UNLOCK, { key: null }), 400, 'bad-request', 'there is no Idempotency-Key'],
    [post(UNLOCK, { key: 'ä' }), 400, 'bad-request', 'not 1 to 100 printable ASCII characters'],
    [post('{'), 400, 'bad-request', 'the body is not JSON'],
    [post({ device: 'gate' }), 400, 'bad-request', 'the body is not understood: verb'],
    [post({ ...UNLOCK, within: 10 }), 400, 'bad-request', 'within'],
    [post({ ...UNLOCK, within: '6m' }), 400, 'bad-request', 'from 100ms to 5m'],
    [post({ ...UNLOCK, issued: 'now' }), 400, 'bad-request', 'issued'],
    [post(UNLOCK, { wait: 'long' }), 400, 'bad-parameter', 'wait is "long"'],
    [rig.ask('/v1/commands/none'), 404, 'not-found', 'there is no command none'],
  ]
  for (const [asked, status, kind, said] of cases) {
    const got = await asked
    expect([got.status, got.text]).toEqual([status, expect.stringContaining(`urn:linli:problem:${kind}`)])
    expect(got.json.detail).toContain(said)
  }
  expect(gate.pulses).toEqual([])
})

test('a key that was used for something else', async () => {
  await post(UNLOCK, { key: 'mine' })
  const got = await post({ ...UNLOCK, device: 'gate-2' }, { key: 'mine' })
  expect([got.status, got.json.detail]).toEqual([409, expect.stringContaining('take a new key for every new command')])
})

test('nobody sees the commands of another', async () => {
  const { id, done } = gate.lastDesk.request(
    { by: 'consumer:police', rights: [{ verbs: ['*'], devices: ['*'] }] },
    {
      ...UNLOCK,
      arguments: {},
      expect: {},
      key: 'theirs',
      withinMs: 1000,
    },
  )
  await done
  expect((await rig.ask(`/v1/commands/${encodeURIComponent(id)}`)).status).toBe(404)
})

test('too much: after the limit of a device, with the time to wait', async () => {
  gate.limits = { perDevice: 2, inAll: 10 }
  rig.desk = await gate.start()
  await rig.restart({})
  await post(UNLOCK)
  await post(UNLOCK)
  const over = await post(UNLOCK)
  expect([over.status, over.json.detail]).toEqual([429, expect.stringContaining('may come in 30000 ms')])
})
