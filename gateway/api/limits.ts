/** What a caller may take of the hub. */
export const API_LIMITS = {
  connections: 100,
  urlCharacters: 4096,
  headerBytes: 16 * 1024,
  bodyBytes: 64 * 1024,
  /** From the first byte of a request to its last; who dribbles is cut off. */
  requestMs: 10_000,
  /** Nothing was read of an answer, or a connection idle, for so long. More than the longest long poll. */
  silenceMs: 75_000,
  /** Requests that run when the hub stops get so long to end. */
  farewellMs: 2000,
} as const
export type ApiLimits = { readonly [name in keyof typeof API_LIMITS]: number }
