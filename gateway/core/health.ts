import type { Fault } from '../contract/fault.ts'

/** What a connection is doing. `parked`: its settings are wrong; it waits for new ones. */
export type ConnectionState = 'starting' | 'running' | 'waiting' | 'parked' | 'stopped'

export interface Trouble {
  readonly code: string
  readonly message: string
  readonly hint?: string
}

export interface DeviceHealth {
  readonly id: string
  readonly ok: boolean
  readonly trouble?: Trouble
}

export interface ConnectionHealth {
  readonly id: string
  readonly kind: string
  readonly state: ConnectionState
  /** How often it was started again. */
  readonly restarts: number
  readonly trouble?: Trouble
  readonly devices: readonly DeviceHealth[]
}

export function troubleOf(fault: Fault): Trouble {
  return { code: fault.code, message: fault.message, ...(fault.hint === undefined ? {} : { hint: fault.hint }) }
}

/** Well, when every connection runs and every device on it answers. */
export function isWell(connections: readonly ConnectionHealth[]): boolean {
  return connections.every(({ state, devices }) => state === 'running' && devices.every(({ ok }) => ok))
}
