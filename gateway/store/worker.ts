import { type MessagePort, parentPort, receiveMessageOnPort } from 'node:worker_threads'
import { asRefusal } from './meaning.ts'
import type { Refusal } from './refusal.ts'
import { type Calls, StoreService } from './service.ts'

/** The thread of the log: an fsync on a card can take half a second, and no poll, edge or door waits for it. */

export interface Asked {
  readonly id: number
  readonly name: keyof Calls
  readonly argument: Calls[keyof Calls][0]
}
export type Answered =
  | { readonly id: number; readonly value: Calls[keyof Calls][1] }
  | { readonly id: number; readonly refusal: Refusal }

/**
 * So many answers go back together where more is asked already: waking the other thread takes about as long as a
 * fast disk takes for a commit. Behind a slow disk nobody asks ahead (`committer.ts`), and nothing is held back.
 */
const ANSWERS_HELD_MAX = 8

/** Answer what comes through the port, in order. */
export function serve(port: MessagePort): void {
  const service = new StoreService()
  port.on('message', (first: Asked[]) => {
    let answers: Answered[] = []
    const post = (): void => {
      if (answers.length > 0) port.postMessage(answers)
      answers = []
    }
    for (let many: Asked[] | undefined = first; many !== undefined; many = receiveMessageOnPort(port)?.message) {
      for (const asked of many) {
        answers.push(answer(service, asked))
        if (answers.length >= ANSWERS_HELD_MAX || asked.name === 'close') post()
        if (asked.name === 'close') return port.close()
      }
    }
    post()
  })
}

function answer(service: StoreService, { id, name, argument }: Asked): Answered {
  try {
    return { id, value: service.answer(name, argument) }
  } catch (error) {
    return { id, refusal: asRefusal(error) }
  }
}

if (parentPort !== null) serve(parentPort)
