const SECRET_KEY = /pas+(w|phrase)|pwd|secret|token|^pin$/i
const USER_IN_ADDRESS = /(:\/\/)[^/\s@]+@/g
const HIDDEN = '***'

/** True for keys whose value nobody else is to see. */
export function isSecretKey(key: string): boolean {
  return SECRET_KEY.test(key)
}

/** True for a private key in the text itself (PEM, RFC 7468). */
export function isPrivateKey(value: unknown): boolean {
  return typeof value === 'string' && /-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(value)
}

/** The value as it may be shown and logged: a secret that somebody wrote in plain text does not go further. */
export function masked(value: unknown, key = ''): unknown {
  if (typeof value === 'string') {
    return isSecretKey(key) || isPrivateKey(value) ? HIDDEN : value.replace(USER_IN_ADDRESS, `$1${HIDDEN}@`)
  }
  if (typeof value === 'number') return isSecretKey(key) ? HIDDEN : value
  if (Array.isArray(value)) return value.map((entry) => masked(entry, key))
  if (typeof value !== 'object' || value === null) return value
  // A reference such as { secret: cam-lobby } is a name, and no secret.
  if (isReference(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, masked(entry, name)]))
}

function isReference(value: object): boolean {
  const keys = Object.keys(value)
  return keys.length === 1 && keys[0] === 'secret'
}
