import type { KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { Fault } from '../contract/fault.ts'
import { findAuditKey } from '../io/audit-key.ts'
import { recordText } from '../store/audit-chain.ts'
import { AuditCheck, type AuditVerdict } from '../store/audit-check.ts'
import type { AuditFinding } from '../store/audit-findings.ts'
import { headKey } from '../store/audit-head.ts'
import { placesOf, trailIn } from '../store/audit-trail.ts'
import type { PageSource } from '../store/page-format.ts'
import { readArguments, unknownDeed } from './arguments.ts'
import { givenHeads } from './given-heads.ts'
import { dataFolder, readGeneralSettings, settingsPath } from './settings-file.ts'
import { logPath, withPages, withStandingPages } from './stored-log.ts'
import type { Terminal } from './terminal.ts'

const DEEDS = ['verify', 'export', 'key']
const VERIFY = {
  settings: { type: 'string' },
  head: { type: 'string' },
  key: { type: 'string', multiple: true },
  json: { type: 'boolean', default: false },
} as const
const LISTED_MAX = 50

/** `linli audit verify`, `linli audit export` and `linli audit key` */
export async function run([deed, ...args]: readonly string[], terminal: Terminal): Promise<number> {
  if (deed === 'verify') return verify(args, terminal)
  if (deed === 'export') return exportTrail(args, terminal)
  if (deed === 'key') return key(args, terminal)
  throw unknownDeed(deed, DEEDS)
}

/** Whose key signatures are looked at with: given from elsewhere, the one beside the log, or none. */
type KeyFrom = 'given' | 'hub' | 'none'

async function verify(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values, positionals } = readArguments(args, VERIFY, ['[FILE]'])
  const path = logPath(positionals[0], values.settings, terminal)
  const { keys, keyFrom } = keysFor(path, values.key, terminal)
  const { hub, epoch, verdict } = await withStandingPages(path, async ({ page }) => {
    const trail = trailOf(path, page)
    const check = new AuditCheck(trail, keys)
    check.follow()
    if (values.head !== undefined) for await (const head of givenHeads(values.head, terminal)) check.head(head)
    return { hub: trail.hub, epoch: trail.epoch, verdict: check.verdict() }
  })
  const ok = verdict.found === 0
  const all = { file: path, hub, epoch, ok, keyFrom, ...verdict }
  terminal.out(values.json ? `${JSON.stringify(all, undefined, 2)}\n` : inWords(path, verdict, keyFrom))
  return ok ? 0 : 1
}

/** The records of the chain as they are hashed, for whoever follows it with means of their own. */
async function exportTrail(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values, positionals } = readArguments(args, { settings: { type: 'string' } }, ['[FILE]'])
  const path = logPath(positionals[0], values.settings, terminal)
  await withPages(path, ({ page }) => {
    for (const { at, row, hash } of placesOf(trailOf(path, page))) {
      const link = hash === undefined ? '-' : Buffer.from(hash).toString('hex')
      terminal.out(`${at}\t${link}\t${row?.events === undefined ? '-' : recordText(row.events)}\n`)
    }
  })
  return 0
}

function trailOf(path: string, page: PageSource): NonNullable<ReturnType<typeof trailIn>> {
  const trail = trailIn(page)
  if (trail !== undefined) return trail
  const hint = 'is it a log? `linli log verify` says what is whole in it, `linli log salvage` makes a whole one of that'
  throw new Fault('setup', `${path}: the tables of a log can't be found in it`, { hint })
}

function keysFor(
  path: string,
  given: readonly string[] | undefined,
  terminal: Terminal,
): { keys: KeyObject[]; keyFrom: KeyFrom } {
  if (given !== undefined) return { keys: given.map((file) => keyIn(file, terminal)), keyFrom: 'given' }
  const own = findAuditKey(dirname(path))
  return own === undefined ? { keys: [], keyFrom: 'none' } : { keys: [headKey(own.publicKey)], keyFrom: 'hub' }
}

function inWords(path: string, verdict: AuditVerdict, keyFrom: KeyFrom): string {
  const { proved, firstSeq, lastSeq, found, findings, notes, heads } = verdict
  const shown = findings.slice(0, LISTED_MAX)
  const behind = heads.heldSeq < lastSeq ? `; what is behind it no head given vouches for` : ''
  const lines = [
    `${path}: ${proved} audit events follow from each other, the links from place ${firstSeq} to ${lastSeq}`,
    ...shown.map((finding) => `  ${inPlace(finding)}: ${finding.text}`),
    ...(found > shown.length ? [`  and ${found - shown.length} more findings`] : []),
    ...notes.map(({ text }) => `  note: ${text}`),
    ...(heads.held > 0
      ? [`  ${heads.held} heads given say the same, the newest of place ${heads.heldSeq}${behind}`]
      : []),
    ...(heads.given > 0 ? [] : [`  not known: ${WITHOUT_HEAD}`]),
    ...KEY_WORDS[keyFrom],
    found === 0 ? '  nothing was edited, removed, put in or moved' : '  somebody or something changed the record',
  ]
  return `${lines.join('\n')}\n`
}

const WITHOUT_HEAD =
  'whether the end was cut off, or all of it written anew by somebody with the key: only a head that was sent away tells, --head FILE'

const KEY_WORDS: Readonly<Record<KeyFrom, readonly string[]>> = {
  given: [],
  hub: [
    '  the key was read beside the log: who owns the hub owns it too; --key FILE names the one that was kept elsewhere',
  ],
  none: ['  signatures were not looked at: --key FILE names the public key (`linli audit key` shows it)'],
}

function inPlace({ seq, toSeq, events }: AuditFinding): string {
  if (seq === 0) return 'the heads'
  return seq === toSeq ? `place ${seq}` : `places ${seq} to ${toSeq}, ${events} events`
}

function key(args: readonly string[], terminal: Terminal): number {
  const { values } = readArguments(args, { settings: { type: 'string' }, json: { type: 'boolean', default: false } })
  const settingsFile = settingsPath(values.settings, terminal)
  const folder = dataFolder(settingsFile, readGeneralSettings(settingsFile))
  const found = findAuditKey(folder)
  if (found === undefined) {
    throw new Fault('setup', `there is no audit key in ${folder}`, { hint: 'the hub makes it at its first start' })
  }
  const { publicKey, fingerprint } = found
  terminal.out(
    values.json ? `${JSON.stringify({ publicKey, fingerprint })}\n` : `${publicKey}SHA-256 of it: ${fingerprint}\n`,
  )
  return 0
}

function keyIn(file: string, terminal: Terminal): KeyObject {
  const path = resolve(terminal.folder, file)
  try {
    return headKey(readFileSync(path, 'utf8'))
  } catch (cause) {
    const hint = 'name a file with the public key, as `linli audit key` shows it'
    throw new Fault('setup', `--key: ${path} can't be read as a key: ${(cause as Error).message}`, { hint, cause })
  }
}
