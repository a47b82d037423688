import { Fault } from '../../gateway/contract/fault.ts'
import { ADDRESS_DIGITS as CJT188_DIGITS } from './cjt188/cjt188-meter.ts'
import { ADDRESS_DIGITS as DLT645_DIGITS } from './dlt645/dlt645-meter.ts'
import type { DeviceOptions } from './options.ts'
import type { Profile } from './profile.ts'

/** The least and the greatest Modbus unit that a connection can carry. */
export type AddressRange = readonly [least: number, most: number]

/** @throws Fault of reach `setup` */
export function unitOf({ id, address }: Pick<DeviceOptions, 'id' | 'address'>, units: AddressRange): number {
  const wrong = wrongAddress(address, 'modbus', units)
  if (wrong === undefined) return address as number
  throw new Fault('setup', `${id}: address ${JSON.stringify(address)}: ${wrong.message}`, {
    code: 'address',
    hint: wrong.hint,
  })
}

/** Why a device of this protocol can't have this address; undefined when it can. */
export function wrongAddress(
  address: DeviceOptions['address'],
  protocol: Profile['protocol'],
  [least, most]: AddressRange,
): { readonly message: string; readonly hint: string } | undefined {
  if (protocol === 'modbus') {
    if (typeof address === 'number' && address >= least && address <= most) return undefined
    return { message: 'this is no Modbus unit', hint: `${least} to ${most} is possible, without quotes` }
  }
  const digits = DIGITS[protocol]
  if (String(address).length <= digits) return undefined
  return {
    message: `this number is too long for ${NAMES[protocol]}`,
    hint: `${digits} digits are possible, as they are printed on the meter, in quotes`,
  }
}

/** The same for two devices only when they would both answer to it. */
export function addressKey(address: DeviceOptions['address'], protocol: Profile['protocol']): string {
  return protocol === 'modbus' ? `modbus ${address}` : `${protocol} ${String(address).padStart(DIGITS[protocol], '0')}`
}

const DIGITS = { dlt645: DLT645_DIGITS, cjt188: CJT188_DIGITS } as const
const NAMES = { dlt645: 'DL/T 645', cjt188: 'CJ/T 188' } as const
