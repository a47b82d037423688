import { errnoName, libcFunction } from './libc.ts'

/**
 * What a service tells systemd about itself: sd_notify(3), the protocol of NOTIFY_SOCKET. Where that variable
 * is not set, at a terminal for one, every call does nothing.
 */
export interface Notifier {
  /** READY=1: what the unit's dependants wait for. */
  ready(): void
  /** WATCHDOG=1: to be said at least twice within `watchdogMs`, and only while everything is alive. */
  beat(): void
  /** STOPPING=1: a stop has begun and may take a while. */
  stopping(): void
  /** STATUS=: one line for `systemctl status`. */
  status(text: string): void
  /** After so long without a beat systemd kills the service; undefined when nobody watches (sd_watchdog_enabled(3)). */
  readonly watchdogMs: number | undefined
}

type Environment = Readonly<Record<string, string | undefined>>

/** `sun_path` of struct sockaddr_un holds so many bytes (unix(7)); a path needs one of them for its zero byte. */
const ADDRESS_BYTES_MAX = 108
const AF_UNIX = 1
const SOCK_DGRAM = 2
const SOCK_CLOEXEC = 0o2000000
const MSG_DONTWAIT = 0x40
const MSG_NOSIGNAL = 0x4000

/** @throws when NOTIFY_SOCKET is set to something that is no address of a socket: then nobody would hear us. */
export function createNotifier(environment: Environment): Notifier {
  const address = environment.NOTIFY_SOCKET
  if (address === undefined || address === '') return SILENT
  const send = openSocket(addressBytes(address))
  // A socket that takes nothing now gets the newest of each kind with the next beat: a READY must not be lost.
  const unsent = new Map<string, string>()
  const tell = (variable: string, value: string): void => {
    unsent.set(variable, value)
    const text = [...unsent].map(([name, said]) => `${name}=${said}\n`).join('')
    if (send(Buffer.from(text))) unsent.clear()
  }
  return {
    ready: () => tell('READY', '1'),
    beat: () => tell('WATCHDOG', '1'),
    stopping: () => tell('STOPPING', '1'),
    status: (text) => tell('STATUS', text.replaceAll('\n', ' ')),
    watchdogMs: watchdogMs(environment),
  }
}

const SILENT: Notifier = {
  ready: () => undefined,
  beat: () => undefined,
  stopping: () => undefined,
  status: () => undefined,
  watchdogMs: undefined,
}

/** WATCHDOG_USEC counts only for the process that WATCHDOG_PID names: a child inherits both. */
function watchdogMs({ WATCHDOG_USEC, WATCHDOG_PID }: Environment): number | undefined {
  if (WATCHDOG_PID !== undefined && WATCHDOG_PID !== String(process.pid)) return undefined
  const usec = Number(WATCHDOG_USEC)
  return Number.isSafeInteger(usec) && usec > 0 ? usec / 1000 : undefined
}

/** struct sockaddr_un: the family, then a path, or a zero byte and a name in the abstract namespace (written `@name`). */
function addressBytes(address: string): Buffer {
  const name = Buffer.from(address)
  if (address.startsWith('@')) name[0] = 0
  else if (!address.startsWith('/')) throw wrong(address, 'a path that begins with / or a name that begins with @')
  const bytes = address.startsWith('@') ? name : Buffer.concat([name, Buffer.of(0)])
  if (bytes.length > ADDRESS_BYTES_MAX) throw wrong(address, `at most ${ADDRESS_BYTES_MAX - 1} bytes`)
  return Buffer.concat([Buffer.from(Uint16Array.of(AF_UNIX).buffer), bytes])
}

function wrong(address: string, wanted: string): Error {
  return new Error(
    `NOTIFY_SOCKET is ${JSON.stringify(address)}: ${wanted} is wanted; unset it where systemd does not set it`,
  )
}

/**
 * Node has no datagram sockets of the local kind, so libc is asked: one descriptor for the whole life, one
 * system call a message, no process started.
 * @returns sends one datagram; false when the socket does not take it now
 */
function openSocket(address: Buffer): (message: Buffer) => boolean {
  const socket = libcFunction<(...numbers: number[]) => number>('int socket(int domain, int type, int protocol)')
  const sendto = libcFunction<
    (fd: number, message: Buffer, bytes: number, flags: number, address: Buffer, addressBytes: number) => number
  >('intptr_t sendto(int fd, const void *message, size_t bytes, int flags, const void *address, uint32_t addressBytes)')
  const fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)
  if (fd < 0) throw new Error(`no socket for NOTIFY_SOCKET is to be had: ${errnoName()}`)
  return (message) =>
    sendto(fd, message, message.length, MSG_DONTWAIT | MSG_NOSIGNAL, address, address.length) === message.length
}
