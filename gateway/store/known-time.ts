import { isTrusted } from '../contract/clock.ts'
import { EVENT_CLASSES } from '../contract/event.ts'
import { DamagedRow, decodeHead, type RowHead } from './row.ts'
import type { Sqlite } from './sqlite.ts'

function vouchedFor({ streams }: RowHead): boolean {
  return streams.every(({ clock }) => isTrusted(clock))
}

/** The latest time in a row, where a clock vouched for all of it. */
export function knownMs(head: RowHead): number | undefined {
  return vouchedFor(head) ? head.wallMaxMs : undefined
}

/** The earliest time in a row, where it is whole and a clock vouched for all of it. */
export function earliestMs(read: () => RowHead): number | undefined {
  return whole(() => {
    const head = read()
    return vouchedFor(head) ? head.wallMinMs : undefined
  })
}

/** What is read of a row; undefined where it is damaged. */
function whole<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof DamagedRow) return undefined
    throw error
  }
}

/** The newest time in the log that a clock showed which had been set by anybody: no clock says less unless it lost its time. */
export function pastMs(db: Sqlite): number | undefined {
  return newestOf(db, ({ streams, wallMinMs }) =>
    streams.every(({ clock }) => clock !== 'never') ? wallMinMs : undefined,
  )
}

/** The newest time in the log that a clock vouched for, among its last rows. */
export function newestKnownMs(db: Sqlite): number | undefined {
  return newestOf(db, (head) => (vouchedFor(head) ? head.wallMinMs : undefined))
}

function newestOf(db: Sqlite, timeOf: (head: RowHead) => number | undefined): number | undefined {
  let newest: number | undefined
  for (const name of EVENT_CLASSES) {
    const row = db
      .prepare<[], { last: number; head: Buffer }>(`SELECT last, head FROM ${name} ORDER BY last DESC LIMIT 1`)
      .get()
    const known = row === undefined ? undefined : whole(() => timeOf(decodeHead(name, row.last, row.head)))
    if (known !== undefined && (newest === undefined || known > newest)) newest = known
  }
  return newest
}
