import type { Keeping } from '../../gateway/store/retention.ts'

const HOUR_MS = 3_600_000
const MONTH_MS = 30 * 24 * HOUR_MS

/** Small, so that the room is full after an hour and something is let go of all the time. */
export const SHORT_OF_ROOM: Keeping = {
  keepMs: { telemetry: MONTH_MS, status: MONTH_MS, alarm: MONTH_MS, audit: MONTH_MS },
  maxBytes: 600_000,
}
/** The other way round: room for everything, and each class goes by its age. */
export const SHORT_OF_TIME: Keeping = {
  keepMs: { telemetry: HOUR_MS, status: 2 * HOUR_MS, alarm: 3 * HOUR_MS, audit: 4 * HOUR_MS },
  maxBytes: 16_000_000,
}
