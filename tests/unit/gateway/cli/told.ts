import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { runCommand } from '../../../../gateway/cli/command-line.ts'

export interface Told {
  readonly code: number
  readonly out: string
  readonly error: string
}

/** Say `linli ...` as somebody would, in a folder, and take down what it says. */
export async function linli(
  args: readonly string[],
  {
    folder = '/nowhere',
    environment = {},
    signal = new AbortController().signal,
  }: {
    readonly folder?: string
    readonly environment?: Record<string, string>
    readonly signal?: AbortSignal
  } = {},
): Promise<Told> {
  let [out, error] = ['', '']
  const code = await runCommand(args, {
    out: (text) => {
      out += text
    },
    error: (text) => {
      error += text
    },
    environment,
    folder,
    signal,
  })
  return { code, out, error }
}

/** A folder of its own, gone after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'linli-cli-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
