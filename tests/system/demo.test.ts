import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Account } from '../../hardware-sim/demo/account.ts'
import { REPOSITORY } from '../../hardware-sim/demo/child.ts'
import { eventually } from './eventually.ts'
import { atEnd } from './kept.ts'
import { integrityOf } from './kill-runs.ts'
import { needs } from './needs.ts'

interface Demo {
  readonly process: ChildProcess
  out(): string
  errors(): string
  readonly ended: Promise<number | null>
}

/** `npm run demo` less the look whether packages are installed, with a folder for temporary files of its own. */
function demo(temporary: string, ...words: readonly string[]): Demo {
  const process_ = spawn(process.execPath, ['hardware-sim/demo/main.ts', ...words], {
    cwd: REPOSITORY,
    env: { ...process.env, TMPDIR: temporary },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  atEnd(async () => process_.kill('SIGKILL'))
  const said = { out: '', errors: '' }
  process_.stdout.on('data', (text) => {
    said.out += text
  })
  process_.stderr.on('data', (text) => {
    said.errors += text
  })
  const ended = new Promise<number | null>((resolve) => process_.once('close', resolve))
  return { process: process_, out: () => said.out, errors: () => said.errors, ended }
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'linli-demo-test-'))
  atEnd(async () => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Processes that have this folder in their command line. */
function processesAt(folder: string): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      const file = `/proc/${pid}/cmdline`
      const line = existsSync(file) ? readOrNothing(file).replaceAll('\0', ' ') : ''
      return line.includes(folder) ? [`${pid} ${line}`] : []
    })
}

function readOrNothing(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    // The process has ended meanwhile.
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return ''
    throw error
  }
}

test('--for 12s --json: one account and nothing else, nothing lost through an outage', {
  ...needs('sqlite3'),
  timeout: 120_000,
}, async () => {
  const folder = temporaryFolder()
  const kept = join(folder, 'kept')
  const { ended, out, errors } = demo(folder, '--for', '12s', '--json', '--folder', kept)
  expect(await ended, errors()).toBe(0)
  expect(out().trim().split('\n')).toHaveLength(1)
  const account = JSON.parse(out()) as Account
  expect(account).toMatchObject({ lost: 0, outages: 1 })
  expect(account.readings).toBeGreaterThan(30)
  expect(account.events).toBeGreaterThan(account.readings)
  expect(account.delivered).toBe(account.events)
  expect(account.longestOutageSeconds).toBeGreaterThan(4)
  expect(processesAt(folder)).toEqual([])
  expect(integrityOf(join(kept, 'var/hub.db'))).toBe('ok')
})

test('Ctrl-C: the account, and nothing is left of it', { timeout: 120_000 }, async () => {
  const folder = temporaryFolder()
  const { process: running, ended, out, errors } = demo(folder)
  await eventually(() => out().includes(' readings of 11 meters'), 60_000, 'eleven meters are read')
  expect(processesAt(folder).length).toBeGreaterThanOrEqual(2)
  running.kill('SIGINT')
  expect(await ended, errors()).toBe(0)
  expect(out()).toMatch(/^ {2}lost {12}0$/m)
  expect(processesAt(folder)).toEqual([])
  expect(readdirSync(folder)).toEqual([])
})

test('Ctrl-C twice, in the middle of the start: at once, and nothing is left running', {
  timeout: 60_000,
}, async () => {
  const folder = temporaryFolder()
  const { process: running, ended, out } = demo(folder)
  await eventually(() => out().includes('starting the hub'))
  running.kill('SIGINT')
  await new Promise((resolve) => setTimeout(resolve, 50))
  running.kill('SIGINT')
  expect(await ended).toBe(130)
  await eventually(() => processesAt(folder).length === 0)
})

test('a duration without a unit is refused, and it is said what is wanted', async () => {
  const { ended, errors } = demo(temporaryFolder(), '--for', '60')
  expect(await ended).toBe(2)
  expect(errors()).toContain('--for 60: a duration of at least 5s is wanted')
})
