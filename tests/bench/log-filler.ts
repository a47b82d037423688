import { writeSync } from 'node:fs'
import { growTo, openGrown } from './grown-log.ts'

/**
 * A program that goes on with a grown log until it is killed, and says on standard output `at SEQ` each time that so
 * much was acknowledged.
 *
 *     node tests/bench/log-filler.ts DATABASE
 */
const STEP_EVENTS = 2000
const store = await openGrown(process.argv[2] ?? '')
for (;;) {
  await growTo(store, store.lastSeq() + STEP_EVENTS)
  writeSync(1, `at ${store.lastSeq()}\n`)
}
