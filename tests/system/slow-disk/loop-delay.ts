import { writeFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'

/**
 * Loaded into a hub beside its own code: writes how late its event loop was, in ms, for each second, into the file that
 * LOOP_DELAY names. Its timer asks every millisecond, so an idle loop is a millisecond and a bit late.
 */
const file = process.env.LOOP_DELAY
if (file !== undefined) {
  const histogram = monitorEventLoopDelay({ resolution: 1 })
  histogram.enable()
  setInterval(() => {
    const delay = { p50: histogram.percentile(50) / 1e6, p99: histogram.percentile(99) / 1e6, max: histogram.max / 1e6 }
    histogram.reset()
    writeFileSync(file, `${JSON.stringify(delay)}\n`, { flag: 'a' })
  }, 1000).unref()
}
