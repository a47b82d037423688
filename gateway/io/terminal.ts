import type { SerialSettings } from '../contract/io.ts'
import { errnoName, libcFunction } from './libc.ts'

/*
 * What of a serial port Node and its libraries have no words for: struct termios2 of <asm-generic/termbits.h>, the
 * same on x86-64, arm64, arm and riscv64 (four flag words, a byte of line discipline, 19 control characters, two
 * speeds), the count of unread bytes (ioctl_tty(2), FIONREAD) and a clock that wakes at a time (timerfd_create(2)).
 */
const TCGETS2 = 0x802c542a
const TCSETS2 = 0x402c542b
const FIONREAD = 0x541b
const TERMIOS2_BYTES = 44
const CFLAG_AT = 8
const CONTROL_AT = 17
const VTIME = 5
const VMIN = 6
const ISPEED_AT = 36
const OSPEED_AT = 40
/** BOTHER: the speed is the number in the speed fields; CREAD, CLOCAL. */
const CFLAG_ALWAYS = 0x1000 | 0x80 | 0x800
const CFLAG_DATA = { 7: 0x20, 8: 0x30 } as const
const CFLAG_STOP = { 1: 0, 2: 0x40 } as const
const CFLAG_PARITY = { none: 0, even: 0x100, odd: 0x300 } as const
/** A UART's divider hits a speed nearly; beyond this a frame's last bit is read wrong. */
const SPEED_ERROR_MAX = 0.025
/** VMIN is a byte. */
export const WAKE_BYTES_MAX = 255

const CLOCK_MONOTONIC = 1
/** TFD_NONBLOCK, TFD_CLOEXEC. */
const TIMERFD_FLAGS = 0o4000 | 0o2000000
const NS_IN_MS = 1e6

const ioctl = libcFunction<(fd: number, request: number, argument: Buffer) => number>(
  'int ioctl(int fd, unsigned long request, _Inout_ void *argument)',
)
const timerfdCreate = libcFunction<(clock: number, flags: number) => number>('int timerfd_create(int clock, int flags)')
const timerfdSettime = libcFunction<(fd: number, flags: number, value: Buffer, old: null) => number>(
  'int timerfd_settime(int fd, int flags, const void *value, void *old)',
)

/** The terminal behind an open file: raw, at a speed, and quiet until enough has come. Set its framing first. */
export class Terminal {
  readonly #fd: number
  readonly #termios = Buffer.alloc(TERMIOS2_BYTES)
  readonly #count = Buffer.alloc(4)

  constructor(fd: number) {
    this.#fd = fd
  }

  /**
   * No echo, no lines, no byte translated, at this speed and framing.
   * @throws Error when the port does not have that speed
   */
  setFraming({ baud, dataBits, parity, stopBits }: SerialSettings): void {
    const termios = this.#termios.fill(0)
    termios.writeUInt32LE(CFLAG_ALWAYS | CFLAG_DATA[dataBits] | CFLAG_STOP[stopBits] | CFLAG_PARITY[parity], CFLAG_AT)
    termios[CONTROL_AT + VTIME] = 0
    termios[CONTROL_AT + VMIN] = 1
    termios.writeUInt32LE(baud, ISPEED_AT)
    termios.writeUInt32LE(baud, OSPEED_AT)
    this.#control(TCSETS2, termios)
    this.#control(TCGETS2, termios)
    const speed = termios.readUInt32LE(OSPEED_AT)
    if (Math.abs(speed / baud - 1) > SPEED_ERROR_MAX) throw new Error(`it does not do ${baud} baud, but ${speed}`)
  }

  /**
   * The file counts as readable only when so many bytes have come (termios(3), VMIN): the pieces of an answer wake
   * nobody. Asked for again with the same number it costs nothing; some USB adapters are told of each change.
   */
  wakeAt(bytes: number): void {
    const least = Math.max(1, Math.min(WAKE_BYTES_MAX, bytes))
    if (this.#termios[CONTROL_AT + VMIN] === least) return
    this.#termios[CONTROL_AT + VMIN] = least
    this.#control(TCSETS2, this.#termios)
  }

  /** How many bytes can be read now. @throws Error when the terminal was hung up */
  unreadBytes(): number {
    this.#control(FIONREAD, this.#count)
    return this.#count.readInt32LE(0)
  }

  #control(request: number, argument: Buffer): void {
    if (ioctl(this.#fd, request, argument) !== 0) {
      throw new Error(`the terminal refused request ${request.toString(16)}: ${errnoName()}`)
    }
  }
}

/**
 * A file that becomes readable at a time, to a hundredth of a millisecond; timers of Node know whole ones only.
 * @returns the file descriptor, which the caller closes
 */
export function createAlarm(): number {
  const fd = timerfdCreate(CLOCK_MONOTONIC, TIMERFD_FLAGS)
  if (fd < 0) throw new Error(`no timer is to be had: ${errnoName()}`)
  return fd
}

/** struct itimerspec: no interval, then seconds and nanoseconds. */
const timerSpec = Buffer.alloc(32)

/** Set it, whatever it was set to before. */
export function setAlarm(fd: number, afterMs: number): void {
  // Zero would switch it off.
  const ns = Math.max(1, Math.round(afterMs * NS_IN_MS))
  timerSpec.writeBigInt64LE(BigInt(Math.floor(ns / 1e9)), 16)
  timerSpec.writeBigInt64LE(BigInt(ns % 1e9), 24)
  if (timerfdSettime(fd, 0, timerSpec, null) !== 0) throw new Error(`the timer can't be set: ${errnoName()}`)
}
