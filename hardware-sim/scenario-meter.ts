import type { Clock } from '../gateway/contract/clock.ts'
import type { SerialSettings } from '../gateway/contract/io.ts'
import { Cjt188Meter } from './cjt188-meter.ts'
import { Dlt645Meter } from './dlt645-meter.ts'
import type { Meter } from './meter.ts'
import { ModbusMeter } from './modbus-meter.ts'
import { loadProfile, type MeterProfile, type ModbusProfile, parseProfile } from './profile.ts'
import { ScenarioError, type ScenarioMeter } from './scenario.ts'

interface Surroundings {
  readonly clock: Clock
  readonly seed: number
  /** How the line is set: what a meter's own settings leave out is as there. */
  readonly settings?: SerialSettings
}

/** A meter as a scenario describes it, of the protocol that its profile has. */
export function makeLineMeter(meter: ScenarioMeter, around: Surroundings): Meter {
  const profile = profileOf(meter)
  switch (profile.protocol) {
    case 'modbus':
      return modbusMeter(meter, profile, around)
    case 'dlt645': {
      const { frameBytesMax, password, setWithin } = meter
      return new Dlt645Meter({
        ...commonOptions(meter, around),
        profile,
        address: numberOf(meter, 12),
        ...(frameBytesMax === undefined ? {} : { frameBytesMax }),
        ...(setWithin === undefined ? {} : { setWithinMs: setWithin }),
        ...(password === undefined ? {} : { password }),
      })
    }
    case 'cjt188': {
      const { ownOrderOnly, zeroSer } = meter
      return new Cjt188Meter({
        ...commonOptions(meter, around),
        profile,
        address: numberOf(meter, 14),
        ownOrderOnly,
        zeroSer,
      })
    }
    default:
      return profile satisfies never
  }
}

/** For a host of Modbus TCP, behind which there are no others. */
export function makeModbusMeter(meter: ScenarioMeter, around: Surroundings): ModbusMeter {
  const profile = profileOf(meter)
  if (profile.protocol === 'modbus') return modbusMeter(meter, profile, around)
  throw new ScenarioError(`${meter.id}: ${profile.id} speaks ${profile.protocol}, and this is a host of Modbus TCP`)
}

function modbusMeter(meter: ScenarioMeter, profile: ModbusProfile, around: Surroundings): ModbusMeter {
  const { id, address, strictAddresses, registersMax } = meter
  if (typeof address === 'string') throw new ScenarioError(`${id}: a Modbus meter has a unit from 1 to 247 for address`)
  const limit = registersMax === undefined ? {} : { registersMax }
  return new ModbusMeter({ ...commonOptions(meter, around), unit: address, profile, strictAddresses, ...limit })
}

function profileOf({ profile }: ScenarioMeter): MeterProfile {
  return typeof profile === 'string' ? loadProfile(profile) : parseProfile(profile)
}

function numberOf({ id, address }: ScenarioMeter, digits: number): string {
  if (typeof address === 'string' && address.length === digits) return address
  throw new ScenarioError(`${id}: its address is the ${digits} digits of its number, in quotes`)
}

function commonOptions(
  { id, turnaroundMs, serial, wakeBytes }: ScenarioMeter,
  { clock, seed, settings }: Surroundings,
) {
  return {
    id,
    clock,
    seed,
    ...(turnaroundMs === undefined ? {} : { turnaroundMs }),
    ...(wakeBytes === undefined ? {} : { wakeBytes }),
    ...(serial === undefined || settings === undefined ? {} : { settings: { ...settings, ...serial } }),
  }
}
