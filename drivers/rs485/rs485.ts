import type { Clock } from '../../gateway/contract/clock.ts'
import type { Driver, Host, Probed, ProbeHost } from '../../gateway/contract/driver.ts'
import { isFault } from '../../gateway/contract/fault.ts'
import { type AddressRange, unitOf } from './address.ts'
import { checkDevices } from './check.ts'
import { cjt188Meter } from './cjt188/cjt188-meter.ts'
import { readAnswer } from './codec/pdu.ts'
import { rtuQuestion } from './codec/rtu.ts'
import { serialCosts } from './costs.ts'
import { type AskLine, dlt645Meter } from './dlt645/dlt645-meter.ts'
import { FlightRecorder } from './flight-recorder.ts'
import { refusedBy } from './lessons.ts'
import { Line } from './line.ts'
import { type Measured, planView } from './line-plan.ts'
import { traceView } from './line-trace.ts'
import { loadProfiles } from './load-profile.ts'
import type { PlannedMeter } from './meter.ts'
import { type ModbusAsk, ModbusMeter } from './modbus/modbus-meter.ts'
import type { ModbusProfile } from './modbus/modbus-profile.ts'
import { openWire } from './open-wire.ts'
import { type LineDeviceOptions, type Rs485Options, rs485Options } from './options.ts'
import { Polling } from './polling.ts'
import type { Profile } from './profile.ts'
import { scanView, search } from './scan/search.ts'
import { isOnNetwork } from './serial-server.ts'
import { PLAIN, type Terms, termsOf } from './terms.ts'

/* MODBUS over Serial Line V1.02, 2.2: 0 is everybody, 248 to 255 are reserved. */
const UNITS: AddressRange = [1, 247]

/** An RS-485 line with its devices: one owner, one question at a time. */
export const rs485: Driver<Rs485Options> = {
  kind: 'rs485',
  options: rs485Options,
  devices: ({ devices }) => devices.map(({ id }) => id),
  claims: ({ rs485: { port } }) => [
    { what: `serial ${isOnNetwork(port) ? 'server' : 'port'} ${port}`, path: ['rs485', 'port'] },
  ],
  check: ({ rs485: line, devices }, { profiles }) =>
    checkDevices(devices, profiles, {
      units: UNITS,
      terms: (device, profile) => termsOf(line, device, profile),
      oneSpeed: isOnNetwork(line.port),
    }),
  run,
  probe,
}

async function run(host: Host<Rs485Options>): Promise<void> {
  const { options, signal, clock, io } = host
  const { port, retries } = options.rs485
  const profiles = await loadProfiles(
    options.devices.map(({ profile }) => profile),
    io.profiles,
  )
  const devices = options.devices.map((device) => {
    const profile = profiles.get(device.profile)!
    return { device, profile, terms: termsOf(options.rs485, device, profile) }
  })
  const first = devices[0]?.terms ?? termsOf(options.rs485, {}, PLAIN)
  const recorder = host.keep('recorder', () => new FlightRecorder())
  const dialects = new Map(devices.map(({ device, profile }) => [device.id, profile.protocol]))
  host.show('trace', traceView({ recorder, clock, dialectOf: (id) => dialects.get(id) }))
  const wire = await openWire(port, first.serial, io, signal)
  try {
    const line = new Line({ wire, clock, recorder, ...first })
    const planned = devices.map((each) => ({ ...each, serial: each.terms.serial, meter: makeMeter(each, line, host) }))
    host.show(
      'plan',
      planView(planned, () => measured(line, clock)),
    )
    host.show('scan', scanView(line, options.rs485, io))
    const meters = planned.map(({ meter, device }) => ({ meter, everyMs: device.every }))
    const polling = new Polling({ host, meters, lanes: 1, retries, account: () => ({ ...line.account }) })
    await Promise.race([polling.run(), lost(wire.gone, signal)])
  } catch (error) {
    if (isFault(error) && !signal.aborted) recorder.broken(error.code, clock.monoMs())
    throw error
  } finally {
    await wire.close()
  }
}

/** Look for whatever is on the line, its own devices among it. */
async function* probe({ options, signal, clock, io, patience }: ProbeHost<Rs485Options>): AsyncIterable<Probed> {
  const first = termsOf(options.rs485, {}, PLAIN)
  const wire = await openWire(options.rs485.port, first.serial, io, signal)
  try {
    yield* search({ line: new Line({ wire, clock, ...first }), settings: options.rs485, io, patience, signal })
  } finally {
    await wire.close()
  }
}

interface LineDevice {
  readonly device: LineDeviceOptions
  readonly profile: Profile
  readonly terms: Terms
}

/** The dialect by the profile's protocol. */
function makeMeter(
  { device, profile, terms }: LineDevice,
  line: Line,
  host: Pick<Host<unknown>, 'keep'>,
): PlannedMeter {
  const ask: AskLine = (question, attempts) => line.ask(question, { attempts, terms, device: device.id })
  switch (profile.protocol) {
    case 'modbus':
      return modbusMeter({ device, profile, terms }, ask, refusedBy(device.id, host))
    case 'dlt645':
      return dlt645Meter(device.id, String(device.address), profile, ask)
    case 'cjt188':
      return cjt188Meter(device.id, String(device.address), profile, ask)
    default:
      return profile satisfies never
  }
}

function modbusMeter(
  { device, profile, terms }: LineDevice & { readonly profile: ModbusProfile },
  ask: AskLine,
  refused: Map<string, string>,
): PlannedMeter {
  const unit = unitOf(device, UNITS)
  const askOnce: ModbusAsk = async (request, attempts) => {
    const { payload, monoMs } = await ask(rtuQuestion(unit, request), attempts)
    const answer = readAnswer(request, payload)
    if (answer === undefined) throw new Error('the codec matched a frame that is no answer')
    return { answer, monoMs }
  }
  return new ModbusMeter(device.id, profile, serialCosts(terms.serial), askOnce, refused)
}

function measured(line: Line, clock: Clock): Measured {
  const { openedMs, account, devices } = line
  return { forMs: clock.monoMs() - openedMs, airtimeMs: account.airtimeMs, devices }
}

/** Never resolves; rejects when the world took the wire away, even while nobody asks. */
async function lost(gone: Promise<Error | undefined>, signal: AbortSignal): Promise<never> {
  const reason = await gone
  if (reason !== undefined && !signal.aborted) throw reason
  return new Promise(() => undefined)
}
