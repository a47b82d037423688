import { createSocket } from 'node:dgram'
import { networkInterfaces } from 'node:os'
import { Fault } from '../contract/fault.ts'
import type { UdpIo, UdpSocket } from '../contract/io.ts'

/** Datagrams that wait to be received; what comes beyond is dropped, oldest first. */
const WAITING_MAX = 256

type Datagram = { readonly bytes: Uint8Array; readonly from: string }

export function createUdp(): UdpIo {
  return {
    async addresses() {
      const all = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
      return all.filter(({ family }) => family === 'IPv4').map(({ address }) => address)
    },
    open(address, signal) {
      return new Promise<UdpSocket>((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason)
        const socket = createSocket({ type: 'udp4', signal })
        const waiting: Datagram[] = []
        let taken: (() => void) | undefined
        socket.on('message', (bytes, { address: from, port }) => {
          waiting.push({ bytes, from: `${from}:${port}` })
          if (waiting.length > WAITING_MAX) waiting.shift()
          taken?.()
        })
        socket.once('error', (cause) => {
          reject(
            new Fault('connection', `no UDP socket on ${address ?? 'any address'}: ${cause.message}`, {
              code: 'udp',
              cause,
            }),
          )
        })
        const receive = async (untilMonoMs: number): Promise<Datagram | undefined> => {
          if (waiting.length === 0) {
            await new Promise<void>((go) => {
              const timer = setTimeout(go, Math.max(0, untilMonoMs - performance.now()))
              taken = () => {
                clearTimeout(timer)
                go()
              }
            })
            taken = undefined
          }
          return waiting.shift()
        }
        const send = (bytes: Uint8Array, port: number, host: string): Promise<void> =>
          new Promise((sent, failed) =>
            socket.send(bytes, port, host, (error) => (error === null ? sent() : failed(error))),
          )
        socket.bind(0, address, () => {
          if (address !== undefined) socket.setMulticastInterface(address)
          resolve({ send, receive })
        })
      })
    },
  }
}
