import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test, vi } from 'vitest'
import { REPOSITORY } from '../../hardware-sim/demo/child.ts'
import { createToken, type PlainSettings } from '../../hardware-sim/demo/hub.ts'
import { Community } from './community.ts'
import { eventually } from './eventually.ts'
import { atEnd } from './kept.ts'

// Two processes, and one more for each question.
vi.setConfig({ testTimeout: 90_000 })

const LINE = {
  id: 'line-1',
  baud: 19_200,
  meters: [
    { id: 'meter-1', profile: 'eastron/sdm630', address: 1, every: '500ms' },
    { id: 'meter-2', profile: 'eastron/sdm630', address: 2, every: '500ms' },
  ],
}

const withAllRights = (settings: PlainSettings): PlainSettings => ({
  ...settings,
  consumers: [...(settings.consumers as object[]), { id: 'installer', rights: { privacy: 'sensitive' } }],
})

/** A hub on a real pseudo-terminal, and its command line with a token of the installer. */
async function place() {
  const community = await Community.start({ lines: [LINE], broker: false }, withAllRights)
  atEnd(() => community.end())
  await community.startHub()
  const token = await createToken(community.settings, 'installer')
  const how = { cwd: REPOSITORY, env: { ...process.env, LINLI_TOKEN: token } }
  const words = (args: readonly string[]): string[] => ['lines', ...args, '--settings', community.settings]
  const linli = async (...args: readonly string[]): Promise<string> =>
    (await promisify(execFile)('gateway/linli', words(args), how)).stdout
  const follow = (...args: readonly string[]): ChildProcess => {
    const child = spawn('gateway/linli', words(args), { ...how, stdio: ['ignore', 'pipe', 'inherit'] })
    atEnd(async () => void child.kill('SIGKILL'))
    return child
  }
  const reads = (id: string, more: number) =>
    eventually(async () => {
      const { events } = await community.client.allEvents()
      return (
        events.filter(({ source, type }) => source.endsWith(`/${id}`) && type === 'linli.meter.reading').length > more
      )
    }, 30_000)
  return { community, linli, follow, reads }
}

interface Trace {
  readonly incidents: readonly {
    readonly device?: string
    readonly kind: string
    readonly at: number
    readonly exchanges: readonly {
      readonly device?: string
      readonly monoUs: number
      readonly heard?: { readonly words: readonly string[] }
    }[]
  }[]
}

test('a meter whose answers arrive damaged is seen in the trace of its line, in bytes and in words', async () => {
  const { community, linli, reads } = await place()
  await reads('meter-2', 3)
  expect(await linli('trace', 'line-1')).toContain('unit 2: read input registers')
  await community.simulator.ask({ do: 'fault', what: 'meter-2', fault: { kind: 'wrong-check', times: 1 } })
  const found = await eventually(async () => {
    const trace = JSON.parse(await linli('trace', 'line-1', '--json')) as Trace
    return trace.incidents.find(({ kind, exchanges }) => kind === 'damaged' && exchanges.length >= 10)
  }, 30_000)
  expect(found.device).toBe('meter-2')
  expect(found.exchanges[found.at]!.heard!.words[0]).toMatch(
    /^wrong check \(CRC .. .., .. .. is right\) of what looks like: unit 2 answers: \d+ input registers$/,
  )
  const times = found.exchanges.map(({ monoUs }) => monoUs)
  expect(times).toEqual(times.toSorted((a, b) => a - b))
  expect(await linli('trace', 'line-1')).toMatch(
    /^\d+ {2}meter-2: wrong check, \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}$/m,
  )
})

test('the trace of a line is followed live, until Ctrl-C', async () => {
  const { follow } = await place()
  const child = follow('trace', 'line-1', '--live')
  let out = ''
  child.stdout!.on('data', (text) => {
    out += text
  })
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  await eventually(() => /unit 1 answers/.test(out) && /unit 2 answers/.test(out), 30_000)
  child.kill('SIGINT')
  expect(await ended).toBe(0)
})

test('the plan measures what the line is used for, and lines lists it', async () => {
  const { linli, reads } = await place()
  await reads('meter-1', 6)
  const plan = JSON.parse(await linli('plan', 'line-1', '--json')) as {
    measured: { share: number }
    devices: { id: string; computed: { share: number }; measured: { share: number; answers: number } }[]
  }
  expect(plan.devices.map(({ id }) => id)).toEqual(['meter-1', 'meter-2'])
  for (const { computed, measured } of plan.devices) {
    expect(measured.answers).toBeGreaterThan(0)
    // The meters of the simulator think for 5 ms, and it is reckoned with 10; a busy machine takes its own time.
    expect(measured.share).toBeGreaterThan(computed.share * 0.4)
    expect(measured.share).toBeLessThan(computed.share * 3)
  }
  expect(await linli('plan', 'line-1')).toMatch(/^line-1: this line needs [\d.]+ s for a 0\.5 s cycle/)
  expect(await linli()).toMatch(/^line-1 +rs485 +running\n +requests \d+, answers \d+/)
})
