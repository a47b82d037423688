import type { Host, View } from '../../../../gateway/contract/driver.ts'
import type { Seen } from '../../../../gateway/contract/event.ts'
import type { Fault } from '../../../../gateway/contract/fault.ts'
import type { Io, SerialSettings } from '../../../../gateway/contract/io.ts'
import type { Log } from '../../../../gateway/contract/log.ts'
import { VirtualClock } from '../../../../hardware-sim/clock.ts'
import { ModbusMeter } from '../../../../hardware-sim/modbus-meter.ts'
import { parseModbusProfile } from '../../../../hardware-sim/profile.ts'
import { seededRandom } from '../../../../hardware-sim/random.ts'
import { SimulatedLine, simulatedSerial } from '../../../../hardware-sim/simulated-line.ts'

const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, with: () => silent }
export const SETTINGS = { baud: 9600, dataBits: 8, parity: 'none', stopBits: 1 } as const

/** Four float registers at 100, 200, 300, 400, each showing its own address. */
export const FOUR = {
  id: 'test/four',
  maker: 'test',
  model: 'four',
  protocol: 'modbus',
  source: 'the test itself',
  points: [100, 200, 300, 400].map((address) => ({
    point: `r${address}`,
    unit: 'V',
    table: 'holding',
    address,
    as: 'float32',
  })),
  samples: [{ words: { '100': '42c8 0000' }, expect: { r100: 100 } }],
}

/** A line with meters on it, and a host for the driver, on virtual time. */
export function bench(profiles: Readonly<Record<string, unknown>> = { 'test/four': FOUR }) {
  const clock = new VirtualClock()
  const line = new SimulatedLine({ clock, random: seededRandom(7), settings: SETTINGS })
  const seen: Seen[] = []
  const marks: string[] = []
  const ending = new AbortController()
  const { views, ...showing } = keeping()
  let counters: Readonly<Record<string, number>> = {}
  const io = {
    serial: simulatedSerial(new Map([['/dev/line', line]])),
    profiles: { load: async (reference: string) => profiles[reference], list: async () => Object.keys(profiles) },
    random: seededRandom(1),
  } as unknown as Io
  const attach = (
    id: string,
    unit: number,
    profile: unknown = FOUR,
    strictAddresses = false,
    settings?: SerialSettings,
  ): void => {
    const meter = new ModbusMeter({
      id,
      unit,
      profile: parseModbusProfile(profile),
      clock,
      strictAddresses,
      ...(settings === undefined ? {} : { settings }),
      value: (point) => Number(point.slice(1)) || undefined,
    })
    line.line.attach(meter)
  }
  const host = <Options>(options: Options): Host<Options> => ({
    connection: 'line-1',
    options,
    signal: ending.signal,
    clock,
    log: silent,
    io,
    emit: async (batch) => void seen.push(...batch),
    mark: (device: string, fault: Fault | undefined) =>
      void marks.push(`${device} ${fault === undefined ? 'well' : fault.code}`),
    serve() {},
    lastReading: () => undefined,
    figures: (values) => {
      counters = values
    },
    ...showing,
  })
  return { clock, line, seen, marks, ending, attach, host, views, counters: () => counters }
}

/** What a connection shows, and what outlives its lives. */
function keeping() {
  const views = new Map<string, View>()
  const kept = new Map<string, unknown>()
  const host: Pick<Host<unknown>, 'show' | 'keep'> = {
    show: (name, view) => void views.set(name, view as View),
    keep: <T>(name: string, make: () => T): T => {
      if (!kept.has(name)) kept.set(name, make())
      return kept.get(name) as T
    },
  }
  return { views, ...host }
}
