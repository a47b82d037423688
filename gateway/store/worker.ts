import { type MessagePort, parentPort } from 'node:worker_threads'
import type { Refusal } from './refusal.ts'
import { asRefusal, type Calls, StoreService } from './service.ts'

/** The thread of the log: an fsync on a card can take half a second, and no poll, edge or door waits for it. */

export interface Asked {
  readonly id: number
  readonly name: keyof Calls
  readonly argument: Calls[keyof Calls][0]
}
export type Answered =
  | { readonly id: number; readonly value: Calls[keyof Calls][1] }
  | { readonly id: number; readonly refusal: Refusal }

/** Answer what comes through the port, in order. */
export function serve(port: MessagePort): void {
  const service = new StoreService()
  port.on('message', ({ id, name, argument }: Asked) => {
    let answer: Answered
    try {
      answer = { id, value: service.answer(name, argument) }
    } catch (error) {
      answer = { id, refusal: asRefusal(error) }
    }
    port.postMessage(answer)
    if (name === 'close') port.close()
  })
}

if (parentPort !== null) serve(parentPort)
