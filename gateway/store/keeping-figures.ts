import { EVENT_CLASSES } from '../contract/event.ts'
import type { Figure } from '../contract/figure.ts'
import type { DiskReport, DiskState } from './disk-watch.ts'
import type { KeepingReport } from './keeping-report.ts'
import { RESERVED_PARTS } from './retention.ts'

export interface KeepingReports {
  readonly keeping?: KeepingReport
  readonly disk?: DiskReport
}

const WRITTEN = 'Bytes that the hub has had written to disks since it was started, the log and all else.'
const DISK_STATES: readonly DiskState[] = ['well', 'almost-full', 'full']

/** How much of the log there is by class, what went, and how the disk under it stands. @param nowMs undefined while time is not sure */
export function keepingFigures({ keeping, disk }: KeepingReports, nowMs: number | undefined): Figure[] {
  return [
    ...(keeping === undefined
      ? []
      : [...roomFigures(keeping), ...classFigures(keeping, nowMs), ...forecastFigures(keeping)]),
    ...(disk === undefined ? [] : diskFigures(disk)),
  ]
}

function roomFigures({ usedBytes, roomBytes, thinned }: KeepingReport): Figure[] {
  const help = 'Readings that became part of a 15-minute summary since the log was opened.'
  return [
    { name: 'linli_log_thinned_events_total', help, kind: 'counter', labels: { class: 'telemetry' }, value: thinned },
    gauge('linli_log_used_bytes', 'Bytes of the database that are in use.', usedBytes),
    gauge('linli_log_room_bytes', 'Bytes that the database may grow to.', roomBytes),
  ]
}

function classFigures({ classes, roomBytes }: KeepingReport, nowMs: number | undefined): Figure[] {
  return EVENT_CLASSES.flatMap((name) => {
    const { rows, bytes, oldestMs, evicted } = classes[name]
    const labels = { class: name }
    const reserved = Math.floor(roomBytes * RESERVED_PARTS[name])
    const figures: Figure[] = [
      gauge('linli_log_class_bytes', 'Bytes that the rows of a class take, about.', bytes, labels),
      gauge('linli_log_class_rows', 'Rows of a class.', rows, labels),
      gauge('linli_log_reserved_bytes', 'Bytes that a class never loses to another one.', reserved, labels),
    ]
    if (oldestMs !== undefined && nowMs !== undefined) {
      const ageS = Math.max(0, (nowMs - oldestMs) / 1000)
      figures.push(gauge('linli_log_oldest_age_seconds', 'Age of the oldest event of a class.', ageS, labels))
    }
    for (const why of ['age', 'size'] as const) {
      const help = 'Events let go of since the log was opened.'
      const name = 'linli_log_evicted_events_total'
      figures.push({ name, help, kind: 'counter', labels: { ...labels, why }, value: evicted[why] })
    }
    return figures
  })
}

function forecastFigures({ forecast }: KeepingReport): Figure[] {
  if (forecast === undefined) return []
  const { bytesADay, daysUntilThinning, daysUntilLoss } = forecast
  const never = Number.POSITIVE_INFINITY
  return [
    gauge(
      'linli_log_days_until_thinning',
      "Days until readings are thinned for want of room, at the last day's rate.",
      daysUntilThinning ?? never,
    ),
    ...EVENT_CLASSES.flatMap((name) => [
      gauge('linli_log_bytes_a_day', 'Bytes that a class brought in a day, by the last day.', bytesADay[name], {
        class: name,
      }),
      gauge(
        'linli_log_days_until_loss',
        "Days until events go for want of room, at the last day's rate.",
        daysUntilLoss[name] ?? never,
        { class: name },
      ),
    ]),
  ]
}

function diskFigures({ state, freeBytes, ballastBytes, writtenBytes, writtenADay }: DiskReport): Figure[] {
  return [
    ...DISK_STATES.map((each) =>
      gauge('linli_log_disk_state', '1 for the state that the disk is in.', each === state ? 1 : 0, { state: each }),
    ),
    ...(freeBytes === undefined ? [] : [gauge('linli_log_disk_free_bytes', 'Free bytes of the disk.', freeBytes)]),
    ...(writtenBytes === undefined
      ? []
      : [{ name: 'linli_disk_written_bytes_total', help: WRITTEN, kind: 'counter' as const, value: writtenBytes }]),
    ...(writtenADay === undefined
      ? []
      : [
          gauge(
            'linli_disk_written_bytes_a_day',
            'Bytes that a day writes to disks, at the rate of this run.',
            writtenADay,
          ),
        ]),
    gauge('linli_log_ballast_bytes', 'Bytes of the ballast, which is given up when the disk is full.', ballastBytes),
  ]
}

function gauge(name: string, help: string, value: number, labels?: Readonly<Record<string, string>>): Figure {
  return { name, help, kind: 'gauge', value, ...(labels === undefined ? {} : { labels }) }
}
