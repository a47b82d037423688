import type { Host } from '../../gateway/contract/driver.ts'

/**
 * From one wrong login to the next try. Cameras lock an account after three to seven wrong logins in some minutes:
 * one quick try for a camera that refused only because it had just been started, then seldom.
 */
const PAUSES_MS = [30_000, 600_000] as const
/** How much longer by chance, so that cameras with one wrong password are not asked all at once. */
const SPREAD = 0.2
/** A corrected secret is tried at once: it is looked at so often. */
const LOOK_EVERY_MS = 5000

/** How long to leave a camera alone that did not accept the login. It outlives a restart of the connection. */
export class Patience {
  #refusals = 0
  #untilMs = 0
  #password: string | undefined

  /** The password of this name, when it may be tried: now, or after the pause, or as soon as it is another one. */
  async password(host: Pick<Host<unknown>, 'io' | 'clock' | 'signal'>, secret: string): Promise<string> {
    const { io, clock, signal } = host
    for (;;) {
      const password = await io.secrets.load(secret)
      const leftMs = this.#untilMs - clock.monoMs()
      if (password !== this.#password || leftMs <= 0) return password
      await clock.sleep(Math.min(leftMs, LOOK_EVERY_MS), signal)
    }
  }

  /** @param chance uniform in [0, 1) */
  refused(password: string, nowMs: number, chance: number): void {
    this.#refusals = password === this.#password ? this.#refusals + 1 : 1
    this.#password = password
    const pauseMs = PAUSES_MS[Math.min(this.#refusals, PAUSES_MS.length) - 1] ?? 0
    this.#untilMs = nowMs + pauseMs * (1 + SPREAD * chance)
  }

  accepted(): void {
    this.#refusals = 0
    this.#password = undefined
  }
}
