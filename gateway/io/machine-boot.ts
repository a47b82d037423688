import { readFileSync } from 'node:fs'

/**
 * Which start of the machine this is, and how long ago it was, on the clock that `monoMs` counts too. Runs of the hub
 * in one of them share what the time was. The service's sandbox hides the kernel's file, so systemd says it (`%b`).
 */
export function machineBoot(): { readonly id: string; readonly uptimeS: number } {
  return { id: process.env.LINLI_BOOT_ID ?? kernelBootId(), uptimeS: Number(process.hrtime.bigint()) / 1e9 }
}

/** Empty where nobody says it. */
function kernelBootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim().replaceAll('-', '')
  } catch {
    return ''
  }
}
