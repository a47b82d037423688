import { attribute, type Element, find, findAll, text } from './xml.ts'

/** A notification as the camera meant it (ONVIF Core, 9.5.2 and 9.11). */
export interface Notification {
  /** Without prefixes: `RuleEngine/CellMotionDetector/Motion`. */
  readonly topic: string
  /** `initialized`: the state that was there before we came; no news. */
  readonly operation: 'initialized' | 'changed' | 'deleted'
  readonly utcTime: string
  readonly source: Readonly<Record<string, string>>
  readonly data: Readonly<Record<string, string>>
}

/** What an answer to PullMessages holds. */
export function decodeNotifications(body: Element): Notification[] {
  const messages = findAll(find(body, 'PullMessagesResponse'), 'NotificationMessage')
  return messages.map((notification) => {
    const message = find(notification, 'Message', 'Message')
    const operation = (attribute(message, 'PropertyOperation') ?? 'Changed').toLowerCase()
    return {
      topic: text(find(notification, 'Topic')).replaceAll(/[A-Za-z0-9_-]+:/g, ''),
      operation: operation === 'initialized' || operation === 'deleted' ? operation : 'changed',
      utcTime: attribute(message, 'UtcTime') ?? '',
      source: items(find(message, 'Source')),
      data: items(find(message, 'Data')),
    }
  })
}

function items(list: Element | undefined): Record<string, string> {
  return Object.fromEntries(
    findAll(list, 'SimpleItem').map((item) => [attribute(item, 'Name') ?? '', attribute(item, 'Value') ?? '']),
  )
}

/** The three dialects in which cameras say that something moves, by the end of the topic and the name of the item. */
const MOTION: readonly (readonly [topic: RegExp, item: string])[] = [
  [/VideoSource\/MotionAlarm$/, 'State'],
  [/RuleEngine\/CellMotionDetector\/Motion$/, 'IsMotion'],
  [/RuleEngine\/MotionRegionDetector\/Motion$/, 'State'],
]

/** Whether something moves now; undefined for a notification that is not about motion. */
export function motionOf({ topic, data }: Notification): boolean | undefined {
  const dialect = MOTION.find(([pattern]) => pattern.test(topic))
  const value = dialect === undefined ? undefined : data[dialect[1]]
  return value === undefined ? undefined : value === 'true' || value === '1'
}

/** xs:duration of whole seconds, such as PT60S. */
export function durationText(ms: number): string {
  return `PT${Math.max(1, Math.round(ms / 1000))}S`
}
