import type { Driver, Host } from '../../gateway/contract/driver.ts'
import { isFault } from '../../gateway/contract/fault.ts'
import { Line } from './line.ts'
import type { Meter } from './meter.ts'
import { checkMeters, loadMeters, Outlet } from './meters.ts'
import { type Rs485Options, rs485Options } from './options.ts'

/** An RS-485 line: one owner, one request at a time, each meter in its own rhythm. */
export const rs485: Driver<Rs485Options> = {
  kind: 'rs485',
  options: rs485Options,
  devices: ({ devices }) => devices.map(({ id }) => id),
  check: ({ devices }, io) => checkMeters(devices, io.profiles),

  async run(host) {
    const { port, baud, dataBits, parity, stopBits, timeout, late } = host.options.rs485
    const meters = await loadMeters(host.options.devices, host)
    const settings = { baud, dataBits, parity, stopBits }
    const wire = await host.io.serial.open(port, settings, host.signal)
    try {
      const line = new Line(wire, { settings, timeoutMs: timeout, lateMs: late }, host.clock, host.signal)
      const outlet = new Outlet(host)
      await Promise.race([pollAll(host, line, meters, outlet), outlet.broken])
    } finally {
      await wire.close()
    }
  },
}

async function pollAll(host: Host<Rs485Options>, line: Line, meters: readonly Meter[], outlet: Outlet): Promise<void> {
  const { clock, signal } = host
  const startMs = clock.monoMs()
  const read = line.read.bind(line)
  while (!signal.aborted) {
    const meter = meters.reduce((first, other) => (other.nextMs < first.nextMs ? other : first))
    const restMs = meter.nextMs - clock.monoMs()
    if (restMs > 0) await clock.sleep(restMs, signal)
    try {
      outlet.send([await meter.poll(read)])
      host.mark(meter.id, undefined)
      meter.well(clock.monoMs(), startMs)
    } catch (error) {
      if (!isFault(error) || error.reach === 'connection' || signal.aborted) throw error
      if (meter.failed(clock.monoMs())) host.mark(meter.id, error)
    }
    host.figures({ ...line.counts })
  }
}
