import type { Io, SerialSettings } from '../../gateway/contract/io.ts'
import type { LineOptions } from './line.ts'
import { serialServer } from './serial-server.ts'

const DIAL_MS = 5000

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
