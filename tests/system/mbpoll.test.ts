import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ModbusTcpHost } from '../../hardware-sim/modbus-tcp.ts'
import { PtyLine } from '../../hardware-sim/pty-line.ts'
import { seededRandom } from '../../hardware-sim/random.ts'
import { needs } from './needs.ts'
import { clock, meter, temporaryFolder } from './sim-parts.ts'

const run = promisify(execFile)
const folder = temporaryFolder()
let line: PtyLine
let host: ModbusTcpHost

beforeAll(async () => {
  const settings = { baud: 9600, dataBits: 8, parity: 'none', stopBits: 1 } as const
  line = new PtyLine(join(folder.path, 'line-1'), { clock, random: seededRandom(1), settings })
  for (const unit of [1, 2]) line.line.attach(meter(unit))
  host = await ModbusTcpHost.start({ clock, random: seededRandom(1), meters: [meter(1), meter(2)] })
})
afterAll(async () => {
  line.close()
  await host.cut()
  folder.remove()
})

const rtu = (): string[] => ['-m', 'rtu', '-b', '9600', '-P', 'none', '-d', '8', '-s', '1']
const tcp = (): string[] => ['-m', 'tcp', '-p', String(host.port)]

/** One poll; references count from 0 (`-0`), as on the wire. */
async function mbpoll(...words: string[]): Promise<string> {
  const { stdout } = await run('mbpoll', ['-0', '-1', '-q', ...words], { timeout: 10_000 })
  return stdout
}

function values(text: string): number[] {
  return [...text.matchAll(/^\[\d+\]:\s+(\S+)/gm)].map((found) => Number(found[1]))
}

test.each([
  ['RTU on the simulated line', rtu, () => line.path],
  ['Modbus TCP', tcp, () => host.host],
])('mbpoll reads by %s: registers, floats, coils', needs('mbpoll'), async (_name, how, where) => {
  expect(values(await mbpoll(...how(), '-a', '2', '-t', '4', '-r', '100', '-c', '5', where()))).toEqual([
    100, 101, 102, 103, 104,
  ])
  const [volts] = values(await mbpoll(...how(), '-a', '1', '-t', '3:float', '-B', '-r', '0', '-c', '1', where()))
  expect(volts).toBeGreaterThan(220)
  expect(volts).toBeLessThan(240)
  expect(values(await mbpoll(...how(), '-a', '1', '-t', '0', '-r', '0', '-c', '3', where()))).toEqual([1, 0, 1])
})

test('mbpoll writes, and reads back what it wrote', needs('mbpoll'), async () => {
  await mbpoll(...rtu(), '-a', '1', '-t', '4', '-r', '40', line.path, '4711', '12')
  expect(values(await mbpoll(...rtu(), '-a', '1', '-t', '4', '-r', '39', '-c', '4', line.path))).toEqual([
    39, 4711, 12, 42,
  ])
})

test('mbpoll is told of an address that is not there', needs('mbpoll'), async () => {
  await expect(mbpoll(...rtu(), '-a', '1', '-t', '4', '-r', '499', '-c', '2', line.path)).rejects.toThrow(
    /Illegal data address/,
  )
})
