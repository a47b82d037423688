import type { Entry } from '../contract/event.ts'

/** Where an entry is published: `linli/{hub}/events/{class}`. Gap records are audit, as their CloudEvent says. */
export function topicOf(hub: string, entry: Entry): string {
  return `linli/${hub}/events/${entry.kind === 'event' ? entry.class : 'audit'}`
}

/** Retained: whether the hub is there. The broker says `offline` for a hub that is gone (its last will). */
export function statusTopic(hub: string): string {
  return `linli/${hub}/status`
}

export const ONLINE = '{"online":true}'
export const OFFLINE = '{"online":false}'
