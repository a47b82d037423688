import type { Notification } from './event.ts'

/** What a notification means in our words. */
export interface Meaning {
  readonly type: 'linli.camera.motion'
  readonly active: boolean
}

interface Topic {
  /** The end of the topic, in whole steps. */
  readonly topic: string
  /** The items that carry the state, the first that is there. */
  readonly items: readonly string[]
  readonly type: Meaning['type']
}

/** Topics by their ends, because makers plant them into trees of their own (ONVIF Core, annex on topics; Hikvision). */
const TOPICS: readonly Topic[] = [
  { topic: 'VideoSource/MotionAlarm', items: ['State'], type: 'linli.camera.motion' },
  { topic: 'VideoAnalytics/MotionAlarm', items: ['State'], type: 'linli.camera.motion' },
  { topic: 'CellMotionDetector/Motion', items: ['IsMotion', 'State'], type: 'linli.camera.motion' },
  { topic: 'MotionRegionDetector/Motion', items: ['State', 'IsMotion'], type: 'linli.camera.motion' },
]

/** Undefined for what no line of the table knows, and for a state that is no xs:boolean. */
export function meaningOf({ topic, data }: Notification): Meaning | undefined {
  const known = TOPICS.find((line) => topic === line.topic || topic.endsWith(`/${line.topic}`))
  const item = known?.items.find((name) => Object.hasOwn(data, name))
  const active = item === undefined ? undefined : booleanOf(data[item] ?? '')
  return known === undefined || active === undefined ? undefined : { type: known.type, active }
}

/** xs:boolean, and `TRUE` as some cameras write it. */
function booleanOf(value: string): boolean | undefined {
  if (/^(true|1)$/i.test(value)) return true
  return /^(false|0)$/i.test(value) ? false : undefined
}
