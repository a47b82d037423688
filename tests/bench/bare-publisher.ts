import { readFileSync } from 'node:fs'
import mqtt from 'mqtt'

/**
 * The other side of `upstream.drain`, in a process of its own so that nothing we set in mqtt.js holds for it: a bare
 * publisher with the payloads in memory that keeps a window full. Told where, it answers each message with a run.
 */
export interface BareTask {
  readonly url: string
  readonly protocolVersion: 4 | 5
  readonly window: number
  readonly topic: string
  /** Payloads, one a line. */
  readonly file: string
}

export interface BareRun {
  readonly eventsPerSecond: number
  readonly cpuSecondsPer1000: number
}

let payloads: readonly Buffer[] | undefined

process.on('message', async (task: BareTask) => {
  payloads ??= readFileSync(task.file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => Buffer.from(line))
  const beganMs = performance.now()
  const cpuBefore = process.cpuUsage()
  await publishAll(task, payloads)
  const seconds = (performance.now() - beganMs) / 1000
  const { user, system } = process.cpuUsage(cpuBefore)
  const run: BareRun = {
    eventsPerSecond: payloads.length / seconds,
    cpuSecondsPer1000: (user + system) / 1e6 / (payloads.length / 1000),
  }
  process.send?.(run)
})

async function publishAll({ url, protocolVersion, window, topic }: BareTask, all: readonly Buffer[]): Promise<void> {
  const client = await mqtt.connectAsync(url, { protocolVersion, reconnectPeriod: 0 })
  await new Promise<void>((resolve, reject) => {
    let next = 0
    let acknowledged = 0
    const publish = (): void => {
      const payload = all[next]
      if (payload === undefined) return
      next += 1
      client.publish(topic, payload, { qos: 1 }, (error) => {
        if (error) return reject(error)
        acknowledged += 1
        if (acknowledged === all.length) resolve()
        else publish()
      })
    }
    for (let n = 0; n < window; n++) publish()
  })
  await client.endAsync()
}
