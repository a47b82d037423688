import { readFileSync } from 'node:fs'
import { libcFunction } from './libc.ts'

/** What the kernel knows of the one who keeps its wall clock in step. */
export interface KernelTime {
  readonly vouched: boolean
  readonly errorMaxMs: number
}

/** `struct timex` (adjtimex(2)): an int and then C longs; only the bound of the error and the status are read. */
const LONG_BYTES = process.arch === 'arm' || process.arch === 'ia32' ? 4 : 8
const MAX_ERROR_AT = 3 * LONG_BYTES
const STATUS_AT = 5 * LONG_BYTES
const TIMEX_BYTES = 256
/** Nobody keeps the clock in step (linux/timex.h). */
const STA_UNSYNC = 0x40
/** systemd-timesyncd touches this file when it has synchronised in this boot (systemd-timesyncd.service(8)). */
const SYNCHRONIZED_FILE = '/run/systemd/timesync/synchronized'

/** The way to ask: the kernel itself, whoever sets it (chrony, timesyncd, ntpd); where it does not answer, timesyncd's mark. */
export function kernelTimeReader(): () => KernelTime {
  const askKernel = adjtimex()
  return () => askKernel?.() ?? { vouched: markStands(), errorMaxMs: 0 }
}

/** Undefined where the C library cannot be called. With all modes zero the call only reads, and needs no right. */
function adjtimex(): (() => KernelTime | undefined) | undefined {
  let call: (timex: Buffer) => number
  try {
    call = libcFunction('int adjtimex(_Inout_ uint8_t *timex)')
  } catch {
    return undefined
  }
  const timex = Buffer.alloc(TIMEX_BYTES)
  return () => {
    timex.fill(0)
    // A sandbox may forbid it.
    return call(timex) < 0 ? undefined : readTimex(timex)
  }
}

export function readTimex(timex: Buffer): KernelTime {
  const errorMaxUs = LONG_BYTES === 4 ? timex.readInt32LE(MAX_ERROR_AT) : Number(timex.readBigInt64LE(MAX_ERROR_AT))
  return { vouched: (timex.readInt32LE(STATUS_AT) & STA_UNSYNC) === 0, errorMaxMs: errorMaxUs / 1000 }
}

function markStands(): boolean {
  try {
    readFileSync(SYNCHRONIZED_FILE)
    return true
  } catch {
    return false
  }
}
