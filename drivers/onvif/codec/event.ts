import { attribute, type Element, find, findAll, text } from './xml.ts'

/** A notification as the camera meant it (ONVIF Core, 9.5.2 and 9.11). */
export interface Notification {
  /** Without prefixes: `RuleEngine/CellMotionDetector/Motion`. */
  readonly topic: string
  /** As it was written, with the prefixes of the camera: `tns1:RuleEngine/CellMotionDetector/Motion`. */
  readonly rawTopic: string
  /** `initialized`: the state that was there before we came; no news. */
  readonly operation: 'initialized' | 'changed' | 'deleted'
  /** As the camera wrote it; `` where it did not. */
  readonly utcTime: string
  readonly source: Readonly<Record<string, string>>
  readonly data: Readonly<Record<string, string>>
}

const ITEMS_MAX = 32
const TEXT_CHARACTERS_MAX = 256

/** What an answer to PullMessages holds; undefined when it is no such answer. */
export function decodeNotifications(body: Element): Notification[] | undefined {
  const answer = find(body, 'PullMessagesResponse')
  if (answer === undefined) return undefined
  return findAll(answer, 'NotificationMessage').map((notification) => {
    const message = find(notification, 'Message', 'Message')
    const rawTopic = short(text(find(notification, 'Topic')))
    const operation = (attribute(message, 'PropertyOperation') ?? '').toLowerCase()
    return {
      topic: rawTopic.replaceAll(/(^|\/)[^/:]*:/g, '$1'),
      rawTopic,
      operation: operation === 'initialized' || operation === 'deleted' ? operation : 'changed',
      utcTime: short(attribute(message, 'UtcTime') ?? ''),
      source: items(find(message, 'Source')),
      data: items(find(message, 'Data')),
    }
  })
}

function items(list: Element | undefined): Record<string, string> {
  const pairs = findAll(list, 'SimpleItem')
    .slice(0, ITEMS_MAX)
    .map((item) => [short(attribute(item, 'Name') ?? ''), short(attribute(item, 'Value') ?? '')])
  return Object.fromEntries(pairs) as Record<string, string>
}

function short(value: string): string {
  return value.slice(0, TEXT_CHARACTERS_MAX)
}
