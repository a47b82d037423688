import type { Candidate, Candidates, Way } from './found-frame.ts'
import { modbusCandidates } from './modbus-words.ts'
import { cjt188Candidates, dlt645Candidates } from './summed-words.ts'

export type Dialect = 'modbus' | 'dlt645' | 'cjt188'

const CANDIDATES: Readonly<Record<Dialect, Candidates>> = {
  modbus: modbusCandidates,
  dlt645: dlt645Candidates,
  cjt188: cjt188Candidates,
}
const DIALECTS = Object.keys(CANDIDATES) as Dialect[]
/** FEH before a frame wakes a meter and says nothing. */
const WAKE = 0xfe

/**
 * What stands in these bytes, in words, frame by frame.
 * @param dialect of the device that was asked; undefined where that is not known. Others are tried where it is not spoken
 */
export function frameWords(bytes: Uint8Array, way: Way, dialect?: Dialect): readonly string[] {
  if (bytes.length === 0) return []
  const inOrder = dialect === undefined ? DIALECTS : [dialect, ...DIALECTS.filter((other) => other !== dialect)]
  for (const each of inOrder) {
    const words = wholeFrames(bytes, way, CANDIDATES[each])
    if (words !== undefined) return words
  }
  for (const each of inOrder) {
    const words = tornFrame(bytes, way, each)
    if (words !== undefined) return [words]
  }
  return [noFrame(bytes)]
}

/** Every frame whose check is right, and what stands between them; undefined when there is none. */
function wholeFrames(bytes: Uint8Array, way: Way, candidates: Candidates): string[] | undefined {
  const words: string[] = []
  let from = 0
  let found = false
  for (let start = 0; start < bytes.length; ) {
    const frame = candidates(bytes, start, way).find((each) => each.end <= bytes.length && each.wrong() === undefined)
    if (frame === undefined) {
      start += 1
      continue
    }
    found = true
    words.push(...between(bytes.subarray(from, start)), frame.words())
    from = frame.end
    start = frame.end
  }
  return found ? [...words, ...between(bytes.subarray(from))] : undefined
}

/** What looks like a frame and is none: damaged, or broken off. */
function tornFrame(bytes: Uint8Array, way: Way, dialect: Dialect): string | undefined {
  // Nothing marks the beginning of a Modbus frame: anywhere but at the front, chance bytes look like one.
  const startMax = dialect === 'modbus' ? 0 : bytes.length - 1
  let broken: string | undefined
  for (let start = 0; start <= startMax; start++) {
    for (const each of CANDIDATES[dialect](bytes, start, way)) {
      if (each.end <= bytes.length) return damaged(each)
      broken ??= `a frame that breaks off after ${bytes.length - start} of ${each.end - start} bytes`
    }
  }
  return broken
}

function damaged(frame: Candidate): string {
  return `wrong check (${frame.wrong()}) of what looks like: ${frame.words()}`
}

function between(bytes: Uint8Array): string[] {
  return bytes.every((byte) => byte === WAKE) ? [] : [noFrame(bytes)]
}

function noFrame(bytes: Uint8Array): string {
  return bytes.length === 1 ? '1 byte that is no frame' : `${bytes.length} bytes that are no frame`
}
