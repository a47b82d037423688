import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ENVIRONMENT, NODE_OPTIONS } from '../../hardware-sim/demo/hub.ts'
import { needs } from './needs.ts'

const ROOT = join(import.meta.dirname, '../..')
const UNIT = join(ROOT, 'systemd/linli-hub.service')

/** From 0 (nothing of the system is in reach) to 10; a unit that says nothing about its sandbox has 9.6. */
const EXPOSURE_MAX = 2

test(`the sandbox leaves an exposure of at most ${EXPOSURE_MAX}`, needs('systemd-analyze'), () => {
  const { stdout } = spawnSync('systemd-analyze', ['security', '--offline=true', '--no-pager', UNIT], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  })
  const level = /Overall exposure level for linli-hub\.service: ([\d.]+)/.exec(stdout)?.[1]
  expect(Number(level), stdout.split('\n').at(-2)).toBeLessThanOrEqual(EXPOSURE_MAX)
})

test('systemd understands every line of the unit', needs('systemd-analyze'), () => {
  const version = Number(/\d+/.exec(spawnSync('systemd-analyze', ['--version'], { encoding: 'utf8' }).stdout)?.[0])
  const { stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', UNIT], { encoding: 'utf8' })
  const complaints = stderr
    .split('\n')
    .filter((line) => line.includes('linli-hub.service'))
    // The hub is not installed on the machine of the test, and before 254 a restart had only one pause.
    .filter((line) => !line.includes('is not executable'))
    .filter((line) => version >= 254 || !/Unknown key( name)? '(RestartSteps|RestartMaxDelaySec)'/.test(line))
  expect(complaints).toEqual([])
})

test('the demonstration and the benchmarks run the hub as the unit does', () => {
  const unit = readFileSync(UNIT, 'utf8')
  const flags = /^ExecStart=\S+\/node (.*) \/opt\/linli-hub\/dist\/gateway\/cli\.js run /m.exec(unit)?.[1]?.split(' ')
  const environment = [...unit.matchAll(/^Environment=(\w+)=(.*)$/gm)].map(([, name, value]) => [name, value])
  expect(flags).toEqual(NODE_OPTIONS)
  // Only systemd can say which start of the machine it is; in the demonstration the kernel's own file does.
  expect(Object.fromEntries(environment)).toEqual({ ...ENVIRONMENT, LINLI_BOOT_ID: '%b' })
})

test('the unit stays true to what the hub needs', () => {
  const directives = readFileSync(UNIT, 'utf8')
    .split('\n')
    .filter((line) => /^\w+=/.test(line))
  expect(directives).toContain('Type=notify')
  expect(directives).toContain('Restart=always')
  expect(directives.some((line) => line.startsWith('WatchdogSec='))).toBe(true)
  // To ask the kernel whether somebody keeps its clock in step glibc calls clock_adjtime, and older ones adjtimex.
  expect(directives).toContain('SystemCallFilter=adjtimex clock_adjtime')
  expect(directives).not.toContain('ProtectClock=yes')
  // JavaScript is compiled while it runs: with this Node dies before its first line.
  expect(directives.some((line) => line.startsWith('MemoryDenyWriteExecute='))).toBe(false)
  for (const group of ['ttyUSB', 'ttyACM', 'ttyAMA', 'ttyS', 'gpiochip']) {
    expect(directives).toContain(`DeviceAllow=char-${group} rw`)
  }
})
