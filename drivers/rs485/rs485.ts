import type { Driver, Host } from '../../gateway/contract/driver.ts'
import { Fault } from '../../gateway/contract/fault.ts'
import type { SerialSettings } from '../../gateway/contract/io.ts'
import { checkDevices } from './check.ts'
import { type PduRequest, readAnswer } from './codec/pdu.ts'
import { rtuQuestion } from './codec/rtu.ts'
import { serialCosts } from './costs.ts'
import { Line } from './line.ts'
import { loadProfiles } from './load-profile.ts'
import type { Meter } from './meter.ts'
import { type ModbusHeard, ModbusMeter } from './modbus/modbus-meter.ts'
import { type DeviceOptions, type Rs485Options, rs485Options } from './options.ts'
import { Polling } from './polling.ts'
import type { Profile } from './profile.ts'

/* MODBUS over Serial Line V1.02, 2.2: 0 is everybody, 248 to 255 are reserved. */
const UNIT_MIN = 1
const UNIT_MAX = 247

/** An RS-485 line with its devices: one owner, one question at a time. */
export const rs485: Driver<Rs485Options> = {
  kind: 'rs485',
  options: rs485Options,
  devices: ({ devices }) => devices.map(({ id }) => id),
  claims: ({ rs485: { port } }) => [{ what: `serial port ${port}`, path: ['rs485', 'port'] }],
  check: ({ rs485: line, devices }, { profiles }) =>
    checkDevices(devices, profiles, { units: [UNIT_MIN, UNIT_MAX], costs: serialCosts(line) }),
  run,
}

async function run(host: Host<Rs485Options>): Promise<void> {
  const { options, signal, clock, io } = host
  const { port, timeout: timeoutMs, late: lateMs = timeoutMs, retries } = options.rs485
  const profiles = await loadProfiles(
    options.devices.map(({ profile }) => profile),
    io.profiles,
  )
  const wire = await io.serial.open(port, options.rs485, signal)
  try {
    const line = new Line({ wire, clock, serial: options.rs485, timeoutMs, lateMs })
    const meters = options.devices.map((device) => ({
      meter: makeMeter(device, profiles.get(device.profile)!, options.rs485, line),
      everyMs: device.every,
    }))
    const polling = new Polling({ host, meters, lanes: 1, retries, account: () => ({ ...line.account }) })
    await Promise.race([polling.run(), lost(wire.gone, signal)])
  } finally {
    await wire.close()
  }
}

/** The dialect by the profile's protocol. */
function makeMeter(device: DeviceOptions, profile: Profile, serial: SerialSettings, line: Line): Meter {
  const unit = unitOf(device)
  const ask = async (request: PduRequest, attempts: number): Promise<ModbusHeard> => {
    const { payload, monoMs } = await line.ask(rtuQuestion(unit, request), { attempts })
    const answer = readAnswer(request, payload)
    if (answer === undefined) throw new Error('the codec matched a frame that is no answer')
    return { answer, monoMs }
  }
  return new ModbusMeter(device.id, profile, serialCosts(serial), ask)
}

function unitOf({ id, address }: DeviceOptions): number {
  if (typeof address === 'number' && address >= UNIT_MIN && address <= UNIT_MAX) return address
  throw new Fault('setup', `${id}: address ${JSON.stringify(address)} is no Modbus unit`, {
    code: 'address',
    hint: `${UNIT_MIN} to ${UNIT_MAX} is possible, without quotes`,
  })
}

/** Never resolves; rejects when the world took the wire away, even while nobody asks. */
async function lost(gone: Promise<Error | undefined>, signal: AbortSignal): Promise<never> {
  const reason = await gone
  if (reason !== undefined && !signal.aborted) throw reason
  return new Promise(() => undefined)
}
