import { decodeDateTime } from './time.ts'
import { type Element, find, text } from './xml.ts'

/** What a camera granted (ONVIF Core, 9.1.1 and 9.1.3). */
export interface Granted {
  /** As the camera wrote it; goes back in the To header. */
  readonly address: string
  /** How long the subscription lives unless it is renewed; undefined when the camera tells nothing sensible. */
  readonly lifetimeMs: number | undefined
}

export function decodeSubscription(body: Element): Granted | undefined {
  const answer = find(body, 'CreatePullPointSubscriptionResponse')
  if (answer === undefined) return undefined
  return { address: text(find(answer, 'SubscriptionReference', 'Address')), lifetimeMs: lifetimeOf(answer) }
}

/** How long a renewed subscription lives; undefined when the camera tells nothing sensible. */
export function decodeRenewal(body: Element): number | undefined {
  return lifetimeOf(find(body, 'RenewResponse'))
}

/**
 * Both times are of the camera's clock, so that only their difference counts. Some cameras answer the time that is now
 * as the end of a subscription that goes on (Vista), or leave one of the two out.
 */
function lifetimeOf(answer: Element | undefined): number | undefined {
  const nowMs = decodeDateTime(text(find(answer, 'CurrentTime')))
  const endMs = decodeDateTime(text(find(answer, 'TerminationTime')))
  return nowMs === undefined || endMs === undefined || endMs <= nowMs ? undefined : endMs - nowMs
}
