import type { Driver, Host } from '../../gateway/contract/driver.ts'
import { Fault } from '../../gateway/contract/fault.ts'
import { type AddressRange, unitOf } from './address.ts'
import { checkDevices } from './check.ts'
import { NETWORK_COSTS } from './costs.ts'
import { refusedBy } from './lessons.ts'
import { planView } from './line-plan.ts'
import { loadProfiles } from './load-profile.ts'
import { type ModbusAsk, ModbusMeter } from './modbus/modbus-meter.ts'
import type { ModbusProfile } from './modbus/modbus-profile.ts'
import { type DeviceOptions, type ModbusTcpOptions, modbusTcpOptions } from './options.ts'
import { Polling } from './polling.ts'
import type { Profile } from './profile.ts'
import { TcpHost } from './tcp-host.ts'

/* MODBUS Messaging on TCP/IP Implementation Guide V1.0b, 4.4.2.1: 0 and 255 are the host itself. */
const UNITS: AddressRange = [0, 255]

/** A Modbus TCP host with its units: several questions on their way, one to a unit. */
export const modbusTcp: Driver<ModbusTcpOptions> = {
  kind: 'modbusTcp',
  options: modbusTcpOptions,
  devices: ({ devices }) => devices.map(({ id }) => id),
  claims: ({ modbusTcp: { host, port } }) => [{ what: `Modbus TCP host ${host}:${port}`, path: ['modbusTcp', 'host'] }],
  check: ({ devices }, { profiles }) => checkDevices(devices, profiles, { units: UNITS }),
  run,
}

async function run(host: Host<ModbusTcpOptions>): Promise<void> {
  const { options, signal, clock, io } = host
  const { host: name, port, timeout: timeoutMs, dialTimeout, inFlight, retries } = options.modbusTcp
  const profiles = await loadProfiles(
    options.devices.map(({ profile }) => profile),
    io.profiles,
  )
  const wire = await io.tcp.dial(name, port, dialTimeout, signal)
  try {
    const tcp = new TcpHost({ wire, clock, timeoutMs, inFlightMax: inFlight })
    const meters = options.devices.map((device) => {
      const unit = unitOf(device, UNITS)
      const profile = modbusOnly(device, profiles)
      const ask: ModbusAsk = (request, attempts) => tcp.ask(unit, request, { attempts })
      const meter = new ModbusMeter(device.id, profile, NETWORK_COSTS, ask, refusedBy(device.id, host))
      return { meter, device, profile, everyMs: device.every }
    })
    host.show('plan', planView(meters))
    const polling = new Polling({ host, meters, lanes: inFlight, retries, account: () => ({ ...tcp.account }) })
    await Promise.race([polling.run(), heard(tcp, signal)])
  } finally {
    await wire.close()
  }
}

/** @throws Fault of reach `setup` for a model that speaks something else, which no network carries */
function modbusOnly({ id, profile }: DeviceOptions, profiles: ReadonlyMap<string, Profile>): ModbusProfile {
  const found = profiles.get(profile)!
  if (found.protocol === 'modbus') return found
  throw new Fault('setup', `${id}: ${profile} speaks ${found.protocol}, not Modbus`, {
    code: 'profile',
    hint: 'put it on an rs485 line',
  })
}

/** Rejects when the connection is gone; at the end of this life it only goes quiet. */
async function heard(tcp: TcpHost, signal: AbortSignal): Promise<never> {
  try {
    return await tcp.hear()
  } catch (error) {
    if (!signal.aborted) throw error
    return new Promise(() => undefined)
  }
}
