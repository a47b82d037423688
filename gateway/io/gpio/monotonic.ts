/**
 * The kernel's CLOCK_MONOTONIC on `Clock.monoMs`: both run on the same clock of the machine, from another zero
 * (`performance.now` counts from the start of this process).
 * @returns turns nanoseconds of the kernel into milliseconds of ours; made anew for each batch of edges
 */
export function monotonicToMonoMs(): (ns: bigint) => number {
  const offsetMs = performance.now() - Number(process.hrtime.bigint()) / 1e6
  return (ns) => Number(ns) / 1e6 + offsetMs
}
