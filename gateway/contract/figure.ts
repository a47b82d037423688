/** One number for the metrics page, gathered when somebody asks (Prometheus text format 0.0.4). */
export interface Figure {
  /** `linli_` + noun + unit, such as `linli_log_bytes`; counters end in `_total`. */
  readonly name: string
  readonly help: string
  readonly kind: 'counter' | 'gauge'
  readonly labels?: Readonly<Record<string, string>>
  readonly value: number
}
