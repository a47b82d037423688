import type { Io, SerialSettings } from '../../gateway/contract/io.ts'
import type { LineOptions } from './line.ts'

const DIAL_MS = 5000
const TCP = 'tcp:'

/** A serial server: a box on the network that hands on what comes, at the one speed that it is set to itself. */
export interface SerialServer {
  readonly host: string
  readonly port: number
}

/** @returns undefined for a port of this machine, and for `tcp://` without a host and a port */
export function serialServer(port: string): SerialServer | undefined {
  if (!port.startsWith(`${TCP}//`) || !URL.canParse(port)) return undefined
  const { hostname, port: number } = new URL(port)
  return hostname === '' || number === '' ? undefined : { host: hostname, port: Number(number) }
}

/** Whether it names something on the network, well or badly. */
export function isOnNetwork(port: string): boolean {
  return port.startsWith(TCP)
}

/** @throws Fault of reach `connection` when the port is not there or the server does not answer */
export function openWire(
  port: string,
  serial: SerialSettings,
  io: Pick<Io, 'serial' | 'tcp'>,
  signal: AbortSignal,
): Promise<LineOptions['wire']> {
  const server = serialServer(port)
  return server === undefined
    ? io.serial.open(port, serial, signal)
    : io.tcp.dial(server.host, server.port, DIAL_MS, signal)
}
