import type { Driver, Host } from '../../gateway/contract/driver.ts'
import { Fault } from '../../gateway/contract/fault.ts'
import { checkDevices } from './check.ts'
import { NETWORK_COSTS } from './costs.ts'
import { loadProfiles } from './load-profile.ts'
import { ModbusMeter } from './modbus/modbus-meter.ts'
import { type DeviceOptions, type ModbusTcpOptions, modbusTcpOptions } from './options.ts'
import { Polling } from './polling.ts'
import { TcpHost } from './tcp-host.ts'

/* MODBUS Messaging on TCP/IP Implementation Guide V1.0b, 4.4.2.1: 0 and 255 are the host itself. */
const UNIT_MIN = 0
const UNIT_MAX = 255

/** A Modbus TCP host with its units: several questions on their way, one to a unit. */
export const modbusTcp: Driver<ModbusTcpOptions> = {
  kind: 'modbusTcp',
  options: modbusTcpOptions,
  devices: ({ devices }) => devices.map(({ id }) => id),
  claims: ({ modbusTcp: { host, port } }) => [{ what: `Modbus TCP host ${host}:${port}`, path: ['modbusTcp', 'host'] }],
  check: ({ devices }, { profiles }) => checkDevices(devices, profiles, { units: [UNIT_MIN, UNIT_MAX] }),
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
      const unit = unitOf(device)
      const meter = new ModbusMeter(device.id, profiles.get(device.profile)!, NETWORK_COSTS, (request, attempts) =>
        tcp.ask(unit, request, { attempts }),
      )
      return { meter, everyMs: device.every }
    })
    const polling = new Polling({ host, meters, lanes: inFlight, retries, account: () => ({ ...tcp.account }) })
    await Promise.race([polling.run(), heard(tcp, signal)])
  } finally {
    await wire.close()
  }
}

function unitOf({ id, address }: DeviceOptions): number {
  if (typeof address === 'number' && address >= UNIT_MIN && address <= UNIT_MAX) return address
  throw new Fault('setup', `${id}: address ${JSON.stringify(address)} is no Modbus unit`, {
    code: 'address',
    hint: `${UNIT_MIN} to ${UNIT_MAX} is possible, without quotes`,
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
