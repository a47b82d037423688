import { Fault } from '../contract/fault.ts'
import { readGeneralSettings } from './settings-file.ts'
import type { Terminal } from './terminal.ts'

/** Nobody answers there. */
export function awayFault(base: string, cause: unknown): Fault {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause
  const reason = inner instanceof Error ? inner.message || inner.name : String(inner)
  const hint = /certificate/i.test(reason)
    ? 'trust its certificate with NODE_EXTRA_CA_CERTS=FILE'
    : 'is it running (systemctl status linli-hub)? Is the address right (--url)?'
  return new Fault('connection', `no hub answers at ${base}: ${reason}`, { code: 'away', hint, cause })
}

/** What the hub says is wrong (RFC 9457), as a person reads it. */
export function problemFault(status: number, body: string): Fault {
  let problem: { readonly title?: string; readonly detail?: string; readonly hint?: string }
  try {
    problem = JSON.parse(body)
  } catch {
    return new Fault('connection', `the answer was ${status}, and not from a hub`, { hint: 'is the address right?' })
  }
  const text = problem.detail ?? problem.title ?? 'without a reason'
  const hint = problem.hint !== undefined && !text.includes(problem.hint) ? { hint: problem.hint } : {}
  return new Fault('connection', `the hub answered ${status}: ${text}`, hint)
}

/**
 * Ask a hub once, with the token of the environment.
 * @param signal ends the asking, such as Ctrl-C
 * @throws Fault when nobody answers, or with anything but 200
 */
export async function askHub(
  base: string,
  path: string,
  terminal: Terminal,
  signal = terminal.signal,
): Promise<Response> {
  const headers = { authorization: `Bearer ${tokenOf(terminal)}` }
  const answer = await fetch(new URL(path, base), { headers, signal, redirect: 'error' }).catch((error) => {
    throw awayFault(base, error)
  })
  if (answer.status !== 200) throw problemFault(answer.status, await answer.text())
  return answer
}

/** @throws Fault when there is none */
export function tokenOf({ environment }: Terminal): string {
  const token = environment.LINLI_TOKEN
  if (token !== undefined && token !== '') return token
  // Not an option: everybody on a machine sees the arguments of everybody's programs.
  throw new Fault('setup', 'a token is needed to ask the hub', {
    hint: 'make one with `linli token create CONSUMER` and put it into LINLI_TOKEN',
  })
}

/** Where the hub of these settings listens. @throws Fault when it does not, or nobody knows where */
export function localUrl(settingsFile: string): string {
  const { api } = readGeneralSettings(settingsFile)
  if (api === undefined) {
    throw new Fault('setup', `${settingsFile} has no \`api:\`, so the hub can't be asked`, { hint: 'add `api: {}`' })
  }
  const at = api.listen.lastIndexOf(':')
  const [host, port] = [api.listen.slice(0, at), api.listen.slice(at + 1)]
  if (port === '0') {
    const hint = 'give --url; the log of the hub says which port it took'
    throw new Fault('setup', 'the hub listens on a port that it chose itself', { hint })
  }
  const scheme = api.tls === undefined ? 'http' : 'https'
  return `${scheme}://${host === '0.0.0.0' ? '127.0.0.1' : host === '[::]' ? '[::1]' : host}:${port}`
}
