import { statSync } from 'node:fs'
import { join } from 'node:path'
import { createTokenBook, type TokenBook } from '../api/tokens.ts'
import { Fault } from '../contract/fault.ts'
import { nearest } from '../contract/nearest.ts'
import { createClock } from '../io/clock.ts'
import { fileStamp, readFileText, writeFileDurably } from '../io/files.ts'
import { systemRandom } from '../io/random.ts'
import { readArguments, unknownDeed } from './arguments.ts'
import { dataFolder, readGeneralSettings, settingsPath } from './settings-file.ts'
import type { Terminal } from './terminal.ts'

const OPTIONS = { settings: { type: 'string' }, json: { type: 'boolean', default: false } } as const
const DEEDS = ['create', 'list', 'revoke']

export async function run([deed, ...args]: readonly string[], terminal: Terminal): Promise<number> {
  const open = (given: string | undefined) => openBook(settingsPath(given, terminal))
  switch (deed) {
    case 'create': {
      const { values, positionals } = readArguments(args, OPTIONS, ['CONSUMER'])
      return create(positionals[0]!, open(values.settings), values.json, terminal)
    }
    case 'list': {
      const { values } = readArguments(args, OPTIONS)
      return list(open(values.settings), values.json, terminal)
    }
    case 'revoke': {
      const { values, positionals } = readArguments(args, OPTIONS, ['ID'])
      return revoke(positionals[0]!, open(values.settings), terminal)
    }
    default:
      throw unknownDeed(deed, DEEDS)
  }
}

interface Opened {
  readonly book: TokenBook
  readonly consumers: readonly string[]
}

function openBook(settingsFile: string): Opened {
  const settings = readGeneralSettings(settingsFile)
  const folder = dataFolder(settingsFile, settings)
  refuseForeignOwner(folder)
  const files = { read: readFileText, write: writeFileDurably, stamp: fileStamp }
  const path = join(folder, 'tokens.json')
  const book = createTokenBook({ path, files, random: systemRandom, clock: createClock() })
  return { book, consumers: settings.consumers.map(({ id }) => id) }
}

async function create(
  consumer: string,
  { book, consumers }: Opened,
  json: boolean,
  { out, error }: Terminal,
): Promise<number> {
  if (!consumers.includes(consumer)) {
    const guess = nearest(consumer, consumers)
    throw new Fault('setup', `there is no consumer \`${consumer}\` in the settings`, {
      hint:
        guess === undefined
          ? `add it: consumers: [{ id: ${consumer}, rights: { ... } }]${consumers.length === 0 ? '' : `, or take one of ${consumers.join(', ')}`}`
          : `did you mean ${guess}?`,
    })
  }
  const made = await owned(() => book.create(consumer))
  if (json) out(`${JSON.stringify({ ...made, consumer })}\n`)
  else {
    out(`${made.token}\n`)
    error(`This is the only time that it is shown. Its id is ${made.id}; \`linli token revoke ${made.id}\` ends it.\n`)
  }
  return 0
}

function list({ book }: Opened, json: boolean, { out }: Terminal): number {
  const tokens = book.list()
  if (json) out(`${JSON.stringify(tokens)}\n`)
  else if (tokens.length === 0) out('There are no tokens; `linli token create CONSUMER` makes one.\n')
  else
    for (const { id, consumer, created } of tokens)
      out(`${id}  ${created.slice(0, 16).replace('T', ' ')}  ${consumer}\n`)
  return 0
}

async function revoke(id: string, { book }: Opened, { out }: Terminal): Promise<number> {
  if (!(await owned(() => book.revoke(id)))) {
    throw new Fault('device', `there is no token ${id}`, { hint: '`linli token list` shows the ids' })
  }
  out(`Token ${id} is worth nothing from now on.\n`)
  return 0
}

/** What root writes into the hub's folder the hub can't read: it would turn everybody away. */
function refuseForeignOwner(folder: string): void {
  const owner = statSync(folder, { throwIfNoEntry: false })?.uid
  if (process.getuid?.() !== 0 || owner === undefined || owner === 0) return
  throw new Fault('setup', `${folder} belongs to another user (${owner}), who could not read what root writes`, {
    hint: `run this as that user: sudo -u '#${owner}' ...`,
  })
}

/** The file belongs to the hub's user; whoever else tries gets to know whom to ask. */
async function owned<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code !== 'EACCES' && code !== 'EPERM' && code !== 'EROFS') throw error
    throw new Fault('setup', `the tokens can't be written: ${message}`, {
      hint: 'run this as the user of the hub, such as: sudo -u linli linli token ...',
    })
  }
}
