/** How often it is looked; short, because a test waits for it. */
const LOOK_MS = 20

/**
 * Wait until something outside this process has come true. System tests watch real processes: there is no
 * virtual clock in them, so they look again and again, up to a limit.
 * @returns what `look` returned, once that was neither false nor undefined
 * @throws after `limitMs`, with what was waited for
 */
export async function eventually<T>(
  look: () => T | undefined | false | Promise<T | undefined | false>,
  limitMs = 10_000,
  what = look.toString(),
): Promise<T> {
  const untilMs = performance.now() + limitMs
  for (;;) {
    const found = await look()
    if (found !== undefined && found !== false) return found
    if (performance.now() > untilMs) throw new Error(`not within ${limitMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
}
