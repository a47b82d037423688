import { Worker } from 'node:worker_threads'
import { fromRefusal } from './refusal.ts'
import type { Calls, StorePort } from './service.ts'
import type { Answered, Asked } from './worker.ts'

/** Beside this file, which is run as it stands or with its types stripped. */
const WORKER = import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js'

/**
 * Start the thread of the log.
 * @param died called once when the thread has ended without having been told to, after every call was rejected
 */
export function startWorker(died: (reason: Error) => void): StorePort {
  const worker = new Worker(new URL(WORKER, import.meta.url), { name: 'linli-store' })
  const waiting = new Map<number, { resolve(value: unknown): void; reject(reason: Error): void }>()
  let lastId = 0
  let closing = false
  let dead: Error | undefined
  let asked: Asked[] = []
  const post = (): void => {
    worker.postMessage(asked)
    asked = []
  }
  const end = (reason: Error): void => {
    if (dead !== undefined) return
    dead = reason
    for (const { reject } of waiting.values()) reject(reason)
    waiting.clear()
    if (!closing) died(reason)
  }
  worker.on('message', (answers: Answered[]) => {
    for (const answer of answers) {
      const call = waiting.get(answer.id)
      waiting.delete(answer.id)
      if ('refusal' in answer) call?.reject(fromRefusal(answer.refusal))
      else call?.resolve(answer.value)
    }
  })
  worker.on('error', (error) => end(error as Error))
  worker.on('exit', (code) => end(new Error(`the thread of the log has ended (${code})`)))
  return {
    call<Name extends keyof Calls>(name: Name, argument: Calls[Name][0]): Promise<Calls[Name][1]> {
      if (dead !== undefined) return Promise.reject(dead)
      if (name === 'close') closing = true
      lastId += 1
      const id = lastId
      // What is asked in the same turn goes in one message.
      if (asked.push({ id, name, argument }) === 1) queueMicrotask(post)
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve: resolve as (value: unknown) => void, reject })
      })
    },
  }
}
