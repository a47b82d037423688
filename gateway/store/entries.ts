import type { Entry } from '../contract/event.ts'
import type { RawPage } from './page-builder.ts'
import { unpackEvents } from './parcel.ts'

/** Events and gaps in order of their place; a gap stands where its first missing event stood. */
export function entriesOf({ events, gaps }: RawPage, epoch: string): Entry[] {
  const found: Entry[] = unpackEvents(events, events.streams, epoch)
  if (gaps.length === 0) return found
  for (const gap of gaps) found.push({ kind: 'gap', epoch, ...gap })
  const place = (entry: Entry): number => (entry.kind === 'gap' ? entry.fromSeq : entry.seq)
  return found.sort((a, b) => place(a) - place(b))
}
