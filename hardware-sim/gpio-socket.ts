import { createServer, type Socket } from 'node:net'
import type { ChipOwner, ChipRequest, GpioChip, LineKey, WireLevel } from './gpio-chip.ts'

const LINE_CHARACTERS_MAX = 10_000

/**
 * Serve a chip on a local socket, in the form that gateway/io/gpio/README.md describes: lines of JSON, one owner a
 * connection. Resolves when it listens; ends with the signal.
 */
export async function serveChip(chip: GpioChip, socketPath: string, signal: AbortSignal): Promise<void> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    serveOne(chip, socket)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(socketPath, resolve)
  })
  const close = (): void => {
    for (const socket of sockets) socket.destroy()
    server.close()
  }
  if (signal.aborted) close()
  else signal.addEventListener('abort', close, { once: true })
}

function serveOne(chip: GpioChip, socket: Socket): void {
  const tell = (message: object): void => {
    socket.write(`${JSON.stringify(message)}\n`)
  }
  let inputs: readonly LineKey[] = []
  const owner: ChipOwner = {
    edge: (edge, level) => tell({ edge, level, ns: String(process.hrtime.bigint()) }),
    lost: (lost) => tell({ lost }),
    gone: () => socket.destroy(),
  }
  const refuse = (error: string): void => {
    socket.end(`${JSON.stringify({ error })}\n`)
  }
  let heard = ''
  socket.setEncoding('utf8')
  socket.on('error', () => socket.destroy())
  socket.on('close', () => chip.letGo(owner))
  socket.on('data', (text: string) => {
    heard += text
    const lines = heard.split('\n')
    heard = lines.pop() ?? ''
    if (heard.length > LINE_CHARACTERS_MAX) refuse('a line without an end')
    for (const line of lines) {
      try {
        const message = JSON.parse(line) as Message
        if (message.request !== undefined) {
          chip.request(owner, requestOf(message.request))
          inputs = message.request.inputs
        } else if (message.set !== undefined) chip.set(owner, message.set, bit(message.level ?? 0))
        else if (message.read !== true) throw new Error('no request, no set and no read')
        if (message.set === undefined) tell({ levels: Object.fromEntries(inputs.map((key) => [key, chip.level(key)])) })
      } catch (error) {
        refuse(error instanceof Error ? error.message : String(error))
      }
    }
  })
}

interface Message {
  readonly request?: { readonly inputs: readonly LineKey[]; readonly outputs: Readonly<Record<string, number>> }
  readonly set?: LineKey
  readonly level?: number
  readonly read?: boolean
}

function requestOf({ inputs, outputs }: NonNullable<Message['request']>): ChipRequest {
  return { inputs, outputs: Object.entries(outputs).map(([key, level]) => [keyOf(key), bit(level)] as const) }
}

/** Keys of an object are text in JSON; an offset is a number. */
function keyOf(key: string): LineKey {
  return /^\d+$/.test(key) ? Number(key) : key
}

function bit(level: number): WireLevel {
  return level === 1 ? 1 : 0
}
