import type { ClockState } from '../contract/clock.ts'
import { libcFunction } from './libc.ts'

/** adjtimex(2) on 64 bits: `status` stands behind modes, offset, freq, maxerror and esterror. */
const TIMEX_BYTES = 208
const STATUS_AT = 40
/** STA_UNSYNC of linux/timex.h: nobody steers the clock, or not for so long that it may be wrong by 16 s. */
const UNSYNCHRONISED = 0x40

export interface ClockSigns {
  readonly wallMs: number
  /** Whether somebody steers the kernel's clock now; undefined where the kernel does not tell us. */
  readonly kernelSynced: boolean | undefined
  /** Somebody set it in this boot of the machine. */
  readonly syncedInThisBoot: boolean
}

/** What the signs mean. @param builtMs a clock that shows an earlier time was never set */
export function clockState({ wallMs, kernelSynced, syncedInThisBoot }: ClockSigns, builtMs: number): ClockState {
  if (wallMs < builtMs) return 'never'
  if (kernelSynced === true) return 'synced'
  // Where the kernel does not tell, the time service's word has to do.
  if (syncedInThisBoot) return kernelSynced === undefined ? 'synced' : 'holdover'
  return 'unsynced'
}

let adjtimex: ((timex: Buffer) => number) | undefined

/** Every time service steers the kernel's clock (chrony, systemd-timesyncd, ntpd, PTP), so the kernel knows. Only reads. */
export function isKernelSynced(): boolean | undefined {
  adjtimex ??= libcFunction<(timex: Buffer) => number>('int adjtimex(void *timex)')
  const timex = Buffer.alloc(TIMEX_BYTES)
  if (adjtimex(timex) < 0) return undefined
  return (timex.readInt32LE(STATUS_AT) & UNSYNCHRONISED) === 0
}
