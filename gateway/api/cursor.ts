import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Position } from '../store/store.ts'
import { ApiProblem } from './problem.ts'

const MAC_BYTES = 9
const CHARACTERS_MAX = 200
const HINT = 'send what the hub gave as `next`, unchanged, or after=oldest'

/** Turns places in the log into opaque text and back. */
export interface CursorCodec {
  write(position: Position): string
  /** Throws an ApiProblem: what is no cursor is told from one that this hub has not given out. */
  read(text: string, parameter: string): Position
}

/**
 * Epoch and place with a keyed hash, in base64url: a client can keep one and send it back, but neither make one nor
 * change one by mistake, nor confirm with one that another consumer was given.
 * @param key of the hub; cursors outlive a restart with it
 * @param consumer whose cursors these are
 */
export function createCursorCodec(key: Uint8Array, consumer: string): CursorCodec {
  const macOf = (text: string): Buffer =>
    createHmac('sha256', key).update(`linli cursor\0${consumer}\0`).update(text).digest().subarray(0, MAC_BYTES)
  return {
    write({ epoch, seq }) {
      const text = `1:${epoch}:${seq}`
      return Buffer.concat([macOf(text), Buffer.from(text)]).toString('base64url')
    },
    read(cursor, parameter) {
      const members = { parameter, value: cursor.slice(0, 100), hint: HINT }
      const malformed = (): ApiProblem =>
        new ApiProblem(400, 'cursor-malformed', `${parameter} is no cursor; ${HINT}`, { members })
      if (cursor.length > CHARACTERS_MAX || !/^[A-Za-z0-9_-]+$/.test(cursor)) throw malformed()
      const bytes = Buffer.from(cursor, 'base64url')
      const text = bytes.subarray(MAC_BYTES).toString()
      const found = /^1:([^:]+):(\d{1,16})$/.exec(text)
      if (found === null || bytes.toString('base64url') !== cursor) throw malformed()
      if (!timingSafeEqual(bytes.subarray(0, MAC_BYTES), macOf(text))) {
        throw new ApiProblem(
          400,
          'cursor-forged',
          `${parameter} was not given out by this hub to ${consumer}; ${HINT}`,
          { members },
        )
      }
      return { epoch: found[1]!, seq: Number(found[2]) }
    },
  }
}
