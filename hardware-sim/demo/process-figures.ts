import { readdirSync, readFileSync } from 'node:fs'

/** Resident memory of a process, in bytes (VmRSS of proc_pid_status(5)). */
export function memoryBytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  if (kilobytes === undefined) throw new Error(`process ${pid} has no resident memory: it has ended`)
  return Number(kilobytes) * 1024
}

/**
 * Processor time of all threads that a process has now, in seconds. From schedstat, which counts nanoseconds:
 * the ticks of /proc/PID/stat are 10 ms long, and a hub takes less than that in a second.
 */
export function cpuSeconds(pid: number): number {
  let nanoseconds = 0
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      nanoseconds += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0])
    } catch (error) {
      // A thread that ended between the two reads took its time along; the pools of Node keep theirs.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' && (error as NodeJS.ErrnoException).code !== 'ESRCH')
        throw error
    }
  }
  return nanoseconds / 1e9
}
