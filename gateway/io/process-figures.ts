import type { Figure } from '../contract/figure.ts'

/** What the process of the hub takes of the machine. */
export function processFigures(): readonly Figure[] {
  const { user, system } = process.cpuUsage()
  const memory = { name: 'linli_memory_bytes', help: 'Resident memory of the hub', kind: 'gauge' } as const
  const cpu = {
    name: 'linli_cpu_seconds_total',
    help: 'CPU time of the hub, user and system',
    kind: 'counter',
  } as const
  return [
    { ...memory, value: process.memoryUsage.rss() },
    { ...cpu, value: (user + system) / 1e6 },
  ]
}
