import koffi from 'koffi'
import type { SerialSettings } from '../gateway/contract/io.ts'

/*
 * The settings of a terminal as the kernel keeps them: struct termios2 of <asm-generic/termbits.h>, the same on
 * x86-64, arm64, arm and riscv64. Four flag words, one byte of line discipline, 19 control characters, two speeds.
 */
const TCGETS2 = 0x802c542a
const TCSETS2 = 0x402c542b
const TERMIOS2_BYTES = 44
const IFLAG_AT = 0
const OFLAG_AT = 4
const CFLAG_AT = 8
const LFLAG_AT = 12
const CONTROL_AT = 17
const VTIME = 5
const VMIN = 6
const ISPEED_AT = 36
const OSPEED_AT = 40
/** BOTHER: the speed stands in the speed fields; CS8, CREAD and CLOCAL. */
const CFLAG_RAW = 0x1000 | 0x30 | 0x80 | 0x800
/** Two stop bits instead of one. */
const CSTOPB = 0x40

const F_SETFD = 2
const FD_CLOEXEC = 1

const libc = koffi.load(null)
const ioctl = libc.func('int ioctl(int fd, unsigned long request, _Inout_ void *argument)') as (
  fd: number,
  request: number,
  argument: Buffer,
) => number

const fcntl = libc.func('int fcntl(int fd, int command, int argument)') as (
  fd: number,
  command: number,
  argument: number,
) => number

/** A program that this process starts does not get this end: it would keep a terminal alive that was closed here. */
export function closeOnExec(fd: number): void {
  if (fcntl(fd, F_SETFD, FD_CLOEXEC) !== 0) throw new Error(`descriptor ${fd} can't be kept from children (F_SETFD)`)
}

/** What a pty keeps of how it is set: the kernel takes parity and data bits off (pty_set_termios: no PARENB, CS8). */
export type PtySettings = Pick<SerialSettings, 'baud' | 'stopBits'>

/** No echo, no lines, no translation of any byte, at this speed. */
export function makeRaw(fd: number, { baud, stopBits }: PtySettings): void {
  const termios = Buffer.alloc(TERMIOS2_BYTES)
  get(fd, termios)
  termios.writeUInt32LE(0, IFLAG_AT)
  termios.writeUInt32LE(0, OFLAG_AT)
  termios.writeUInt32LE(stopBits === 2 ? CFLAG_RAW | CSTOPB : CFLAG_RAW, CFLAG_AT)
  termios.writeUInt32LE(0, LFLAG_AT)
  termios[CONTROL_AT + VTIME] = 0
  termios[CONTROL_AT + VMIN] = 1
  termios.writeUInt32LE(baud, ISPEED_AT)
  termios.writeUInt32LE(baud, OSPEED_AT)
  if (ioctl(fd, TCSETS2, termios) !== 0) throw new Error(`terminal ${fd} can't be made raw (TCSETS2)`)
}

/** What whoever opened the terminal asked for; on a pty's master, how the slave was set. */
export function settingsOf(fd: number): PtySettings {
  const termios = Buffer.alloc(TERMIOS2_BYTES)
  get(fd, termios)
  const stopBits = (termios.readUInt32LE(CFLAG_AT) & CSTOPB) === 0 ? 1 : 2
  return { baud: termios.readUInt32LE(OSPEED_AT), stopBits }
}

function get(fd: number, termios: Buffer): void {
  if (ioctl(fd, TCGETS2, termios) !== 0) throw new Error(`terminal ${fd} does not tell its settings (TCGETS2)`)
}
