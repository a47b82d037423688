import { readArguments } from './arguments.ts'
import { askLines, LINE_OPTIONS } from './line-access.ts'
import type { Terminal } from './terminal.ts'

interface Airtime {
  readonly airtimeMs: number
  readonly share: number
}

interface Device {
  readonly id: string
  readonly profile: string
  readonly address: number | string
  readonly everyMs: number
  readonly serial?: {
    readonly baud: number
    readonly dataBits: number
    readonly parity: string
    readonly stopBits: number
  }
  readonly requests: readonly {
    readonly what: string
    readonly points: readonly string[]
    readonly airtimeMs?: number
  }[]
  readonly refused: readonly { readonly point: string; readonly why: string }[]
  readonly computed?: Airtime
  readonly measured?: Airtime & { readonly requests: number; readonly answers: number }
}

/** What a line shows as `plan`. */
export interface Plan {
  readonly computed?: { readonly cycleMs: number; readonly neededMs: number; readonly share: number }
  readonly measured?: Airtime & { readonly forMs: number }
  readonly devices: readonly Device[]
  readonly patches: readonly { readonly profile: string; readonly points: readonly string[] }[]
}

/** `linli lines plan ID`: what is asked for on a line, what was refused, and how much of its time that takes. */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values, positionals } = readArguments(args, LINE_OPTIONS, ['ID'])
  const id = positionals[0]!
  const answer = await askLines(`/${encodeURIComponent(id)}/plan`, values, terminal)
  const plan = JSON.parse(await answer.text()) as Plan
  terminal.out(values.json ? `${JSON.stringify(plan, undefined, 2)}\n` : planText(id, plan))
  return 0
}

export function planText(id: string, { computed, measured, devices, patches }: Plan): string {
  const head: string[] = []
  if (computed !== undefined && devices.length > 0) {
    const { neededMs, cycleMs, share } = computed
    head.push(
      `${id}: this line needs ${seconds(neededMs)} for a ${seconds(cycleMs)} cycle, ${percent(share)} of its time`,
    )
    if (share > 1) head.push('make `every` longer, raise the baud rate, or use a second line')
  }
  if (measured !== undefined) {
    head.push(`measured: ${percent(measured.share)} of its time in ${seconds(measured.forMs)}`)
  }
  const lessons = patches.map(
    ({ profile, points }) =>
      `${profile} asks for what is not there (${points.join(', ')}): --json has the patch for a profile of your own`,
  )
  return `${[...head, ...devices.map(deviceText), ...lessons].join('\n')}\n`
}

function deviceText({ id, profile, address, everyMs, serial, requests, refused, computed, measured }: Device): string {
  const framing =
    serial === undefined
      ? ''
      : `, ${serial.baud} ${serial.dataBits}${serial.parity[0]?.toUpperCase()}${serial.stopBits}`
  const lines = [`\n${id}  ${profile}, address ${address}${framing}, every ${seconds(everyMs)}`]
  if (computed !== undefined) {
    lines.push(`    computed ${milliseconds(computed.airtimeMs)} a round, ${percent(computed.share)} of the line`)
  }
  if (measured !== undefined) {
    const { requests: asked, answers, share } = measured
    lines.push(`    measured ${percent(share)} of the line; asked ${asked} times, answered ${answers} times`)
  }
  for (const { what, points, airtimeMs } of requests) {
    const time = airtimeMs === undefined ? '' : milliseconds(airtimeMs)
    lines.push(`    ${what.padEnd(24)}  ${time.padStart(9)}  ${points.join(', ')}`.trimEnd())
  }
  for (const { point, why } of refused) lines.push(`    left out: ${point} (${why})`)
  return lines.join('\n')
}

function seconds(ms: number): string {
  const value = ms / 1000
  return `${Number(value >= 10 ? value.toFixed(1) : value.toPrecision(2))} s`
}

function milliseconds(ms: number): string {
  return `${ms.toFixed(1)} ms`
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(2))} %`
}
