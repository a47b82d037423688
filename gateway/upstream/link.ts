/** One connection to a broker, from its CONNACK to its end. The pump knows no more of MQTT than this. */
export interface Link {
  /** What the broker speaks, for people. */
  readonly protocol: string
  /** Publishes that it takes without having acknowledged them. */
  readonly receiveMaximum: number
  /** The largest packet that it takes. */
  readonly packetBytesMax: number
  /** How many bytes a publish of so many bytes to this topic takes on the wire. */
  packetBytes(topic: string, payloadBytes: number): number
  /** `settled` is called once, when the PUBACK is there; never when the link is lost before. */
  publish(topic: string, payload: Buffer, settled: (refusal: Refusal | undefined) => void): void
  /** Resolves when the link is over, with the reason when it was not we who closed it. */
  readonly gone: Promise<LinkLost | undefined>
  /** Say goodbye, for a moment at most. */
  close(): Promise<void>
  /** Cut it at once. */
  destroy(): void
}

/** A PUBACK of 0x80 and above (MQTT 5, 3.4.2.1). */
export interface Refusal {
  readonly reasonCode: number
  readonly message: string
}

/** The broker can't be reached, does not let us in, or is gone. */
export class LinkLost extends Error {
  /** `soon`: may be well in a second. `slow`: trying again changes nothing until somebody acts (wrong password, taken-over identity). */
  readonly retry: 'soon' | 'slow'

  constructor(message: string, retry: 'soon' | 'slow' = 'soon', cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'LinkLost'
    this.retry = retry
  }
}

/** Resolves once the broker has let us in and has acknowledged a first publish; rejects with LinkLost or `signal.reason`. */
export type Dial = (signal: AbortSignal) => Promise<Link>

/**
 * Reason codes that speak of the moment or of our rights, not of the message: not authorized, server busy, message
 * rate too high, quota exceeded. No number of them makes an event poison, or a revoked right would empty the log.
 */
const ABOUT_US: ReadonlySet<number> = new Set([0x87, 0x89, 0x96, 0x97])

export function isAboutTheMessage(refusal: Refusal): boolean {
  return !ABOUT_US.has(refusal.reasonCode)
}
