import { pullConsumer } from '../api/options.ts'
import type { EventClass } from '../contract/event.ts'
import { upstreamConsumer } from '../upstream/options.ts'
import type { Settings } from './schema.ts'

/** What the settings say about the log: how it gathers, how much is kept, how long, and for whom. */
export function logOptionsOf(settings: Pick<Settings, 'hub' | 'storage' | 'upstream' | 'consumers'>) {
  const { gatherMs, gatherEvents: commitEvents, gatherBytes: commitChars, keepMs, maxBytes } = settings.storage
  const retention = { keepMs, maxBytes, required: requiredOf(settings) }
  return { hub: settings.hub.id, gatherMs, commitEvents, commitChars, retention }
}

/** Whoever must have what it may see, by the name under which the log knows it. */
function requiredOf({ upstream, consumers }: Pick<Settings, 'upstream' | 'consumers'>) {
  const required: { readonly consumer: string; readonly classes: readonly EventClass[] }[] = []
  for (const { id, rights, required: must } of upstream) {
    if (must) required.push({ consumer: upstreamConsumer(id), classes: rights.classes })
  }
  for (const { id, rights, required: must } of consumers) {
    if (must) required.push({ consumer: pullConsumer(id), classes: rights.classes })
  }
  return required
}
