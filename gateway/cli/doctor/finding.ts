/** One thing that was looked at. `bad`: a hub would not work so. `doubtful`: it would, and somebody should look. */
export interface Finding {
  readonly state: 'well' | 'doubtful' | 'bad'
  readonly subject: string
  readonly text: string
  /** The way out. */
  readonly hint?: string
}

export function well(subject: string, text: string): Finding {
  return { state: 'well', subject, text }
}
