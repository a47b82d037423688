import type { GpioIo, HttpIo, Io, ProfileIo, SecretIo, SerialIo, TcpIo, UdpIo } from '../contract/io.ts'
import { systemRandom } from './random.ts'

/**
 * The real outside world. Each part is loaded when a connection first uses it: a hub without a serial line does
 * not pay for the serial library.
 */
export function createSystemIo(parts: { readonly profiles: ProfileIo; readonly secrets: SecretIo }): Io {
  const serial = once(async () => (await import('./serial.ts')).createSerial())
  const tcp = once(async () => (await import('./tcp.ts')).createTcp())
  const http = once(async () => (await import('./http.ts')).createHttp())
  const gpio = once(async () => (await import('./gpio/gpio.ts')).createGpio())
  const udp = once(async () => (await import('./udp.ts')).createUdp())
  const serialIo: SerialIo = {
    open: async (...settings) => (await serial()).open(...settings),
    list: async () => (await serial()).list(),
  }
  const tcpIo: TcpIo = { dial: async (...address) => (await tcp()).dial(...address) }
  const httpIo: HttpIo = { request: async (...request) => (await http()).request(...request) }
  const gpioIo: GpioIo = { open: async (...lines) => (await gpio()).open(...lines) }
  const udpIo: UdpIo = {
    open: async (...settings) => (await udp()).open(...settings),
    addresses: async () => (await udp()).addresses(),
  }
  return { ...parts, serial: serialIo, tcp: tcpIo, http: httpIo, gpio: gpioIo, udp: udpIo, random: systemRandom }
}

function once<T>(load: () => Promise<T>): () => Promise<T> {
  let loaded: Promise<T> | undefined
  return () => {
    loaded ??= load()
    return loaded
  }
}
