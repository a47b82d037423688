import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { HubClient } from '../../hardware-sim/demo/client.ts'
import { changeSettings } from '../../hardware-sim/demo/hub.ts'
import { Community, tcpMeters } from './community.ts'
import { eventually } from './eventually.ts'
import { atEnd } from './kept.ts'
import { needsRoot } from './needs.ts'

const run = promisify(execFile)
/** In place of 30 s: a test has no time. */
const DROP_IN = '[Unit]\nDefaultDependencies=no\nAfter=\n[Service]\nWatchdogSec=3s\n'

/** The machine's systemd as the first process of namespaces of its own. */
class Machine {
  readonly #boot: ChildProcess
  #said = ''

  constructor(folder: string) {
    mkdirSync(join(folder, 'tree'))
    this.#boot = spawn(join(import.meta.dirname, 'systemd/boot.sh'), [folder], { stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [this.#boot.stdout!, this.#boot.stderr!]) stream.on('data', (text) => (this.#said += text))
  }

  /** Run something inside, as root. */
  async inside(...command: readonly string[]): Promise<string> {
    const { stdout } = await run('nsenter', ['--all', '--target', this.#firstProcess(), '--', ...command], {
      timeout: 20_000,
    })
    return stdout.trim()
  }

  async property(name: string): Promise<string> {
    return this.inside('systemctl', 'show', 'linli-hub', '--value', '-p', name)
  }

  async active(): Promise<void> {
    await eventually(
      async () => {
        if (this.#boot.exitCode !== null) throw new Error(`systemd did not boot: ${this.#said}`)
        return (await this.property('ActiveState').catch(() => '')) === 'active'
      },
      30_000,
      'linli-hub.service is active',
    ).catch(async (error) => {
      throw new Error(`${error.message}\n${await this.journal()}`)
    })
  }

  journal(): Promise<string> {
    return this.inside('journalctl', '-o', 'cat', '--no-pager', '-u', 'linli-hub')
  }

  async end(): Promise<void> {
    const ended = new Promise((resolve) => this.#boot.once('exit', resolve))
    if (this.#boot.exitCode === null && this.#boot.signalCode === null) {
      this.#boot.kill('SIGKILL')
      await ended
    }
    for (const root of ['/sys/fs/cgroup/unified', '/sys/fs/cgroup']) {
      await eventually(() => removedGroup(join(root, `linli-systemd-test-${this.#boot.pid}`)))
    }
  }

  /** `unshare` stays outside and has one child, which is process 1 inside. */
  #firstProcess(): string {
    const children = readFileSync(`/proc/${this.#boot.pid}/task/${this.#boot.pid}/children`, 'utf8').trim()
    if (children === '') throw new Error(`systemd is not there: ${this.#said}`)
    return children
  }
}

/** A control group goes when the last process of it has. */
function removedGroup(path: string): boolean {
  if (!existsSync(path)) return true
  const inner = readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  if (!inner.every(({ name }) => removedGroup(join(path, name)))) return false
  try {
    rmdirSync(path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EBUSY') return false
    throw error
  }
}

async function machine(): Promise<{ machine: Machine; place: Community }> {
  await run('sh', ['config/build.sh'], { timeout: 60_000 })
  const place = await Community.start({ modbusTcp: [tcpMeters(3, '200ms')], broker: {} })
  atEnd(() => place.end())
  const folder = join(place.folder, 'machine')
  mkdirSync(join(folder, 'secrets'), { recursive: true })
  writeFileSync(join(folder, 'drop-in.conf'), DROP_IN)
  writeFileSync(join(folder, 'secrets/city'), 'a password that the broker asks for\n')
  cpSync(place.settings, join(folder, 'hub.yaml'))
  changeSettings(join(folder, 'hub.yaml'), (settings) => {
    const [city] = settings.upstream as readonly { readonly mqtt: object }[]
    const mqtt = { ...city?.mqtt, username: 'hub', password: { secret: 'city' } }
    return { ...settings, storage: { path: '/var/lib/linli-hub/hub.db' }, upstream: [{ ...city, mqtt }] }
  })
  chmodSync(place.folder, 0o755)
  const booted = new Machine(folder)
  atEnd(() => booted.end())
  await booted.active()
  return { machine: booted, place }
}

test('under a real systemd: ready, watched, started again, stopped, in its sandbox', {
  ...needsRoot('systemctl', 'unshare', 'nsenter', 'runuser'),
  timeout: 120_000,
}, async () => {
  const { machine: inside, place } = await machine()
  const made = await inside.inside(
    'runuser',
    '-u',
    'linli',
    '--',
    '/opt/linli-hub/gateway/linli',
    'token',
    'create',
    'property',
    '--settings',
    '/etc/linli-hub/hub.yaml',
  )
  const client = new HubClient(place.client.url, /linli_\S+/.exec(made)?.[0] ?? '')
  const { epoch } = (await client.health()).log
  await eventually(async () => (await client.health()).log.lastSeq > 20)
  // Its password came by LoadCredential=: nothing else of root's is readable for the hub.
  await eventually(async () => (await client.health()).upstream[0]?.connected)

  const first = await inside.property('MainPID')
  const status = await inside.inside('cat', `/proc/${first}/status`)
  expect(status).toMatch(/^NoNewPrivs:\t1$/m)
  expect(status).toMatch(/^Seccomp:\t2$/m)
  expect(status).toMatch(/^CapEff:\t0+$/m)
  expect(await inside.inside('stat', '-c', '%U %a', '/var/lib/linli-hub/hub.db')).toBe('linli 600')

  await inside.inside('kill', '-KILL', first)
  const second = await startedAgain(inside, first)
  await inside.inside('kill', '-STOP', second)
  await startedAgain(inside, second)
  expect(await inside.journal()).toContain('Watchdog timeout')
  await eventually(async () => (await client.health().catch(() => undefined))?.log.epoch === epoch)

  await inside.inside('systemctl', 'stop', 'linli-hub')
  expect(await inside.property('Result')).toBe('success')
  expect(await inside.property('ExecMainStatus')).toBe('0')
})

async function startedAgain(inside: Machine, before: string): Promise<string> {
  await eventually(async () => !['0', before].includes(await inside.property('MainPID')), 20_000)
  await inside.active()
  return inside.property('MainPID')
}
