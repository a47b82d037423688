import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { gpioDoorOptions, linesOf } from '../../drivers/gpio-door/options.ts'
import { openSimulated } from '../../gateway/io/gpio/simulated.ts'

/** A passage as it stands on the socket of the simulated chip; gateway/io/gpio/README.md describes the form. */
const SAID = [
  '> {"request":{"inputs":[27,22,23],"outputs":{"17":1}}}',
  '< {"levels":{"27":0,"22":1,"23":0}}',
  '> {"read":true}',
  '< {"levels":{"27":0,"22":1,"23":0}}',
  '< {"edge":22,"level":0}',
  '> {"set":17,"level":0}',
  '> {"set":17,"level":1}',
]

test('a door on a chip: the lock and the exit button active low, its request, an edge, a pulse', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'linli-golden-'))
  const ending = new AbortController()
  const transcript: string[] = []
  let chip: Socket | undefined
  const tell = (line: string): void => {
    transcript.push(`< ${line}`)
    chip?.write(`${line}\n`)
  }
  const server = createServer((socket) => {
    chip = socket
    socket.setEncoding('utf8')
    socket.on('data', (text: string) => {
      for (const line of text.trim().split('\n')) {
        transcript.push(`> ${line}`)
        if (/request|read/.test(line)) tell('{"levels":{"27":0,"22":1,"23":0}}')
      }
    })
  })
  await new Promise<void>((listening) => server.listen(join(folder, 'chip.sock'), listening))
  try {
    const low = (line: number) => ({ line, activeLow: true })
    const wiring = { chip: 'sim:chip.sock', lock: low(17), contact: 27, exitButton: low(22), fire: 23 }
    const lines = await openSimulated(
      join(folder, 'chip.sock'),
      linesOf(gpioDoorOptions.parse({ gpioDoor: wiring })),
      ending.signal,
    )
    expect(await lines.read()).toEqual({ contact: 'inactive', exitButton: 'inactive', fire: 'inactive' })
    const pressed = lines.edges(ending.signal)
    tell('{"edge":22,"level":0}')
    expect((await pressed).edges.map(({ name, level }) => `${name} ${level}`)).toEqual(['exitButton active'])
    await lines.set('lock', 'active')
    // Letting go drives the output to what it was requested with.
    await lines.release()
    await new Promise((closed) => server.close(closed))
    expect(transcript).toEqual(SAID)
  } finally {
    ending.abort(new Error('over'))
    rmSync(folder, { recursive: true })
  }
})
