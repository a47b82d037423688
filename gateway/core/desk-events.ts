import type { CommandArguments, CommandRecord, CommandRequest, Outcome, Refusal } from '../contract/command.ts'
import type { Json, Seen, StoredEvent } from '../contract/event.ts'

/**
 * What the desk writes into the log, class `audit`, and reads back at a start:
 *
 * - `linli.command.received`: the intent, durable before anything moves. Without a `done` behind it, it was being
 *   executed when the hub died.
 * - `linli.command.done`: how it ended.
 * - `linli.command.refused`: what no driver ever heard of, with the request and the reason; its only record.
 */
export const COMMAND_TYPES = 'linli.command.*'

/** What the desk knows of a command: the record, and what a second request with its key must agree with. */
export interface DeskEntry {
  record: CommandRecord
  readonly asked: string
  /** The place of its first event. */
  seq: number
}

/** The request as a text that is the same for the same request, in whatever order its parts were given. */
export function askedText({ device, verb, arguments: given, expect }: CommandRequest): string {
  return JSON.stringify([device, verb, sorted(given), sorted(expect)])
}

function sorted(value: CommandArguments): readonly (readonly [string, Json | undefined])[] {
  return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
}

export function receivedSeen(id: string, by: string, request: CommandRequest, monoMs: number): Seen {
  return about(request.device, 'linli.command.received', { command: id, by, ...requestData(request) }, monoMs)
}

/** @param known whether there is such a device: an event is about none that is only a word in a request */
export function refusedSeen(
  id: string,
  by: string,
  request: CommandRequest,
  { refusal, outcome, known }: { readonly refusal: Refusal; readonly outcome: Outcome; readonly known: boolean },
  monoMs: number,
): Seen {
  const data = { command: id, by, ...requestData(request), refusal, ...outcome }
  const seen = about(request.device, 'linli.command.refused', data, monoMs)
  if (known) return seen
  const { device, ...rest } = seen
  return { ...rest, data: { ...data, device: request.device } }
}

export function doneSeen({ id, by, device, verb }: CommandRecord, outcome: Outcome, monoMs: number): Seen {
  return about(device, 'linli.command.done', { command: id, by, verb, ...outcome }, monoMs)
}

function about(device: string, type: string, data: Seen['data'], monoMs: number): Seen {
  return { device, type, class: 'audit', privacy: 'personal', monoMs, data }
}

function requestData(request: CommandRequest): Record<string, Json | undefined> {
  const { verb, key, arguments: given, expect, withinMs, issuedMs } = request
  return {
    verb,
    key,
    withinMs,
    ...(Object.keys(given).length === 0 ? {} : { arguments: given }),
    ...(Object.keys(expect).length === 0 ? {} : { expect }),
    ...(issuedMs === undefined ? {} : { issued: new Date(issuedMs).toISOString() }),
  }
}

/** Take up what an event of the log says about commands. */
export function takeUp(entries: Map<string, DeskEntry>, event: StoredEvent): void {
  const data = JSON.parse(event.body) as { readonly [name: string]: Json }
  const id = String(data.command)
  if (event.type === 'linli.command.done') {
    const entry = entries.get(id)
    if (entry !== undefined) entry.record = { ...entry.record, outcome: outcomeOf(data) }
    return
  }
  const device = event.source.startsWith('devices/') ? event.source.slice('devices/'.length) : String(data.device)
  const verb = String(data.verb)
  const asked = askedText({
    device,
    verb,
    key: String(data.key),
    withinMs: Number(data.withinMs),
    arguments: (data.arguments ?? {}) as CommandArguments,
    expect: (data.expect ?? {}) as CommandArguments,
  })
  const record: CommandRecord = { id, by: String(data.by), device, verb, receivedMs: event.wallMs }
  const refused =
    event.type === 'linli.command.refused' ? { outcome: outcomeOf(data), refusal: data.refusal as Refusal } : {}
  // An intent that could not be promised may be there twice: it is one command, and what is known of its end holds.
  if (entries.get(id)?.record.outcome === undefined) {
    entries.delete(id)
    entries.set(id, { record: { ...record, ...refused }, asked, seq: event.seq })
  }
}

function outcomeOf(data: { readonly [name: string]: Json }): Outcome {
  const reason = String(data.reason ?? '')
  switch (data.result) {
    case 'executed':
      return data.effect === undefined ? { result: 'executed' } : { result: 'executed', effect: data.effect }
    case 'rejected':
      return { result: 'rejected', reason }
    case 'expired':
      return { result: 'expired' }
    default:
      return { result: 'unknown', reason }
  }
}
