import type { Figure } from '../contract/figure.ts'

/** Prometheus text format 0.0.4: HELP and TYPE once a name, then its samples. */
export function prometheusText(figures: readonly Figure[]): string {
  const byName = new Map<string, Figure[]>()
  for (const figure of figures) {
    const same = byName.get(figure.name)
    if (same === undefined) byName.set(figure.name, [figure])
    else same.push(figure)
  }
  let text = ''
  for (const [name, [first, ...others]] of byName) {
    if (first === undefined) continue
    text += `# HELP ${name} ${first.help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n# TYPE ${name} ${first.kind}\n`
    for (const { labels, value } of [first, ...others]) text += `${name}${labelText(labels)} ${numberText(value)}\n`
  }
  return text
}

function labelText(labels: Figure['labels']): string {
  const pairs = Object.entries(labels ?? {}).map(([name, value]) => `${name}="${escaped(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}

function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value)
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
}
