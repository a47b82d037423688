import { createReadStream } from 'node:fs'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { Fault } from '../contract/fault.ts'
import { HEAD_TYPE, headIn, type SignedHead } from '../store/audit-head.ts'
import type { Terminal } from './terminal.ts'

/**
 * The heads that `--head` gives: a JSON text, or a file of them, one a line; events as a platform got them too, of which
 * the others are passed over. Read line by line, however many they are.
 * @throws Fault of reach `setup` where a line is no JSON, the file can't be read, or there is no head in it
 */
export async function* givenHeads(given: string, terminal: Terminal): AsyncGenerator<SignedHead> {
  let found = 0
  for await (const [number, line] of numbered(linesOf(given, terminal))) {
    const head = headOf(line, number)
    if (head === undefined) continue
    found += 1
    yield head
  }
  if (found > 0) return
  throw new Fault('setup', `--head: there is no ${HEAD_TYPE} in it`, {
    hint: 'give the events of class audit as the platform received them, one a line',
  })
}

function linesOf(given: string, terminal: Terminal): AsyncIterable<string> | Iterable<string> {
  if (given.trimStart().startsWith('{')) return given.split('\n')
  return linesIn(resolve(terminal.folder, given))
}

async function* linesIn(path: string): AsyncGenerator<string> {
  try {
    yield* createInterface({ input: createReadStream(path, 'utf8'), crlfDelay: Number.POSITIVE_INFINITY })
  } catch (cause) {
    throw new Fault('setup', `${path} can't be read: ${(cause as Error).message}`, { hint: 'name a file', cause })
  }
}

async function* numbered(lines: AsyncIterable<string> | Iterable<string>): AsyncGenerator<[number, string]> {
  let number = 0
  for await (const line of lines) {
    number += 1
    if (line.trim() !== '') yield [number, line]
  }
}

function headOf(line: string, number: number): SignedHead | undefined {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (cause) {
    const hint = 'one event a line, as it was sent'
    throw new Fault('setup', `--head: line ${number} is not JSON`, { hint, cause })
  }
  const { type, data } = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>
  return headIn(type === HEAD_TYPE ? data : value)
}
