import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import { Fault } from '../contract/fault.ts'
import { findAuditKey } from '../io/audit-key.ts'
import { type AuditVerdict, checkTrail, HEAD_TYPE, type SignedHead } from '../store/audit-check.ts'
import { trailIn } from '../store/audit-trail.ts'
import { readArguments, unknownDeed } from './arguments.ts'
import { dataFolder, readGeneralSettings, settingsPath } from './settings-file.ts'
import { logPath, withPages } from './stored-log.ts'
import type { Terminal } from './terminal.ts'

const DEEDS = ['verify', 'key']
const VERIFY = {
  settings: { type: 'string' },
  head: { type: 'string' },
  key: { type: 'string' },
  json: { type: 'boolean', default: false },
} as const
const LISTED_MAX = 50

/** `linli audit verify` and `linli audit key` */
export async function run([deed, ...args]: readonly string[], terminal: Terminal): Promise<number> {
  if (deed === 'verify') return verify(args, terminal)
  if (deed === 'key') return key(args, terminal)
  throw unknownDeed(deed, DEEDS)
}

async function verify(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values, positionals } = readArguments(args, VERIFY, ['[FILE]'])
  const path = logPath(positionals[0], values.settings, terminal)
  const pem = values.key === undefined ? findAuditKey(dirname(path))?.publicKey : textOf(values.key, terminal)
  const sent = values.head === undefined ? [] : headsIn(textOf(values.head, terminal))
  const { hub, verdict } = await withPages(path, ({ count, page }) => {
    const { hub, trail } = trailIn(count, page)
    return { hub, verdict: checkTrail(trail, sent, pem) }
  })
  const ok = verdict.findings.length === 0
  const signed = pem !== undefined
  terminal.out(
    values.json
      ? `${JSON.stringify({ file: path, hub, ok, signatures: signed, heads: sent.length, ...verdict }, undefined, 2)}\n`
      : inWords(path, verdict, { signed, sent: sent.length }),
  )
  return ok ? 0 : 1
}

function inWords(
  path: string,
  { proved, lastSeq, findings }: AuditVerdict,
  how: { signed: boolean; sent: number },
): string {
  const shown = findings.slice(0, LISTED_MAX).map(({ seq, text }) => `  place ${seq} ${text}`)
  const lines = [
    `${path}: ${proved} audit events follow from each other, the last at ${lastSeq}`,
    ...shown,
    ...(findings.length > LISTED_MAX ? [`  and ${findings.length - LISTED_MAX} more`] : []),
    ...(how.signed
      ? []
      : ['  signatures were not looked at: --key FILE names the public key (`linli audit key` shows it)']),
    ...(how.sent > 0 ? [] : ['  whether the end was cut off only a head can tell that was sent away: --head FILE']),
    findings.length === 0
      ? '  nothing was edited, removed, put in or moved'
      : '  somebody or something changed the record',
  ]
  return `${lines.join('\n')}\n`
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

function textOf(file: string, terminal: Terminal): string {
  const path = resolve(terminal.folder, file)
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new Fault('setup', `${path} can't be read: ${(cause as Error).message}`, { hint: 'name a file', cause })
  }
}

const headSchema = z.object({ hub: z.string(), seq: z.int(), hash: z.string(), signature: z.string() })
const eventSchema = z.object({ type: z.literal(HEAD_TYPE), data: headSchema })

/** One JSON value a line: heads, or events as a platform got them, of which the others are passed over. */
function headsIn(text: string): SignedHead[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  const heads = lines.flatMap((line, n) => {
    let json: unknown
    try {
      json = JSON.parse(line)
    } catch (cause) {
      throw new Fault('setup', `--head: line ${n + 1} is not JSON`, { hint: 'one event a line, as it was sent', cause })
    }
    const event = eventSchema.safeParse(json)
    const head = event.success ? event : headSchema.safeParse(json)
    return head.success ? [event.success ? event.data.data : (head.data as SignedHead)] : []
  })
  if (heads.length > 0) return heads
  throw new Fault('setup', '--head: there is no linli.audit.head in the file', {
    hint: 'give the events of class audit as the platform received them, one a line',
  })
}
