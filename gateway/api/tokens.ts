import { createHash, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import type { Clock } from '../contract/clock.ts'
import { Fault } from '../contract/fault.ts'
import type { Random } from '../contract/io.ts'
import { name } from '../contract/units.ts'

const TOKENS_MAX = 1000
const TOKEN_BYTES = 32
const TOKEN_CHARACTERS_MAX = 200
const ID_BYTES = 5

/** The file with the hashes, as a parameter; the real one is `gateway/io/files.ts`. */
export interface TokenFiles {
  /** Undefined when there is none. */
  read(path: string): string | undefined
  /** A power cut leaves the old text or the new one. */
  write(path: string, text: string): void
  /** Changes whenever the file was written; undefined when there is none. */
  stamp(path: string): string | undefined
}

export interface TokenBookParts {
  /** `tokens.json` in the data folder. */
  readonly path: string
  readonly files: TokenFiles
  readonly random: Pick<Random, 'bytes'>
  readonly clock: Pick<Clock, 'wallMs'>
  /** Called when the file holds other tokens than when it was read before: `id of consumer` each. */
  readonly changed?: (change: { readonly added: readonly string[]; readonly revoked: readonly string[] }) => void
}

export interface ListedToken {
  readonly id: string
  readonly consumer: string
  /** ISO 8601, by the wall clock of the hub when it was made. */
  readonly created: string
}

/**
 * Bearer tokens, each for one consumer. Only their hashes are kept: a token has 256 random bits, so nobody finds it
 * from its SHA-256, and a stolen file opens nothing.
 */
export interface TokenBook {
  /** The only time that the token itself is there. Rejects with a Fault of reach `setup` for a name that is none. */
  create(consumer: string): Promise<{ readonly token: string; readonly id: string }>
  /** Whose token it is. A file changed by another process is read again. Throws a Fault when the file is damaged. */
  verify(token: string): { readonly consumer: string; readonly id: string } | undefined
  /** False when there is no such token. */
  revoke(id: string): Promise<boolean>
  list(): readonly ListedToken[]
}

const fileSchema = z.strictObject({
  version: z.literal(1),
  tokens: z
    .array(
      z.strictObject({
        id: z.string(),
        consumer: name,
        hash: z.string().regex(/^[0-9a-f]{64}$/),
        created: z.string(),
      }),
    )
    .max(TOKENS_MAX),
})
type TokenFile = z.infer<typeof fileSchema>
type KeptToken = TokenFile['tokens'][number]

export function createTokenBook(parts: TokenBookParts): TokenBook {
  return new FileTokenBook(parts)
}

/** The file was not looked at yet. */
const UNREAD = Symbol('unread')

class FileTokenBook implements TokenBook {
  readonly #parts: TokenBookParts
  #stamp: string | undefined | typeof UNREAD = UNREAD
  #tokens: readonly (KeptToken & { readonly hashBytes: Buffer })[] = []

  constructor(parts: TokenBookParts) {
    this.#parts = parts
  }

  async create(consumer: string): Promise<{ token: string; id: string }> {
    const checked = name.safeParse(consumer)
    if (!checked.success) {
      const hint = checked.error.issues[0]?.message ?? 'give the id of a consumer in the settings'
      throw new Fault('setup', `${JSON.stringify(consumer)} is not the name of a consumer`, { hint })
    }
    if (this.#look().length >= TOKENS_MAX) {
      const hint = 'revoke those that nobody uses'
      throw new Fault('setup', `there are ${TOKENS_MAX} tokens already`, { hint })
    }
    const { random, clock } = this.#parts
    const token = `linli_${consumer}_${Buffer.from(random.bytes(TOKEN_BYTES)).toString('base64url')}`
    const id = Buffer.from(random.bytes(ID_BYTES)).toString('hex')
    const created = new Date(clock.wallMs()).toISOString()
    this.#save([...this.#look(), { id, consumer, hash: hashOf(token).toString('hex'), created }])
    return { token, id }
  }

  verify(token: string): { consumer: string; id: string } | undefined {
    if (token.length > TOKEN_CHARACTERS_MAX) return undefined
    const hash = hashOf(token)
    let found: KeptToken | undefined
    // Every hash is compared, and each in constant time: how long it takes says nothing about them.
    for (const kept of this.#look()) if (timingSafeEqual(kept.hashBytes, hash)) found = kept
    return found === undefined ? undefined : { consumer: found.consumer, id: found.id }
  }

  async revoke(id: string): Promise<boolean> {
    const before = this.#look()
    const kept = before.filter((token) => token.id !== id)
    if (kept.length === before.length) return false
    this.#save(kept)
    return true
  }

  list(): readonly ListedToken[] {
    return this.#look().map(({ id, consumer, created }) => ({ id, consumer, created }))
  }

  /** The tokens as the file has them now. */
  #look(): readonly (KeptToken & { readonly hashBytes: Buffer })[] {
    const { path, files } = this.#parts
    const stamp = files.stamp(path)
    if (stamp !== this.#stamp) {
      const read = parse(path, files.read(path))
      if (this.#stamp !== UNREAD) this.#tellChange(read)
      this.#tokens = read.map((token) => ({ ...token, hashBytes: Buffer.from(token.hash, 'hex') }))
      this.#stamp = stamp
    }
    return this.#tokens
  }

  #tellChange(read: readonly KeptToken[]): void {
    const name = ({ id, consumer }: KeptToken): string => `${id} of ${consumer}`
    const before = new Set(this.#tokens.map(name))
    const now = new Set(read.map(name))
    const added = [...now].filter((token) => !before.has(token))
    const revoked = [...before].filter((token) => !now.has(token))
    if (added.length + revoked.length > 0) this.#parts.changed?.({ added, revoked })
  }

  #save(kept: readonly KeptToken[]): void {
    const { path, files } = this.#parts
    const tokens = kept.map(({ id, consumer, hash, created }) => ({ id, consumer, hash, created }))
    files.write(path, `${JSON.stringify({ version: 1, tokens } satisfies TokenFile, undefined, 2)}\n`)
  }
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

function parse(path: string, text: string | undefined): readonly KeptToken[] {
  if (text === undefined) return []
  const hint = 'restore it from the backup, or remove it and make new tokens with `linli token create`'
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw new Fault('setup', `${path} is not JSON: ${(cause as Error).message}`, { hint, code: 'tokens', cause })
  }
  const file = fileSchema.safeParse(json)
  if (file.success) return file.data.tokens
  const issue = file.error.issues[0]
  throw new Fault('setup', `${path}: ${issue?.path.join('.')}: ${issue?.message}`, { hint, code: 'tokens' })
}
