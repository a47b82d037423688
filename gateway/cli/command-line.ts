import { isFault } from '../contract/fault.ts'
import { nearest } from '../contract/nearest.ts'
import { UsageError } from './arguments.ts'
import type { Terminal } from './terminal.ts'

/** 0: done. 1: it did not work. 2: called wrongly, or the settings are wrong. */
export type ExitCode = number

interface VerbModule {
  run(args: readonly string[], terminal: Terminal): Promise<ExitCode>
}
interface Verb {
  /** One line of `linli help`. */
  readonly what: string
  /** Each way to call it, and what each option does. */
  readonly usage: string
  /** Loaded when called, so that `linli help` does not wait for a database. */
  load(): Promise<VerbModule>
}

const SETTINGS = `  --settings FILE  the settings file; without it LINLI_SETTINGS, ./hub.yaml, then /etc/linli-hub/hub.yaml`

const VERBS: Readonly<Record<string, Verb>> = {
  run: {
    what: 'run the hub until Ctrl-C or SIGTERM',
    usage: `linli run [FILE]

Starts the hub with this settings file. Exit code 2 when the settings are wrong, 1 when it can't go on.`,
    load: () => import('./run.ts'),
  },
  check: {
    what: 'check a settings file: every mistake at once, each with the way out',
    usage: `linli check [FILE] [--json]

Exit code 0 when a hub would run with it (there may be warnings), 2 when not.
  --json  one JSON object: file, ok, problems`,
    load: () => import('./check.ts'),
  },
  token: {
    what: 'make, list or revoke the tokens of those who read over HTTP',
    usage: `linli token create CONSUMER [--settings FILE] [--json]
linli token list [--settings FILE] [--json]
linli token revoke ID [--settings FILE]

A token is shown once, when it is made; the hub keeps its hash. Needs the user who owns the data folder.
${SETTINGS}`,
    load: () => import('./token.ts'),
  },
  events: {
    what: 'read the log of a running hub',
    usage: `linli events [--follow] [--after WHERE] [--limit N] [--types T] [--devices D] [--classes C] [--json]

Reads over the hub's HTTP interface, with the rights of the token in LINLI_TOKEN.
  --after WHERE    oldest (as without it), newest, or a cursor that the hub gave
  --follow         go on with what comes, until Ctrl-C
  --limit N        at most so many events
  --types T        such as linli.meter.*,linli.door.opened
  --devices D      such as meter-3*
  --classes C      telemetry, status, alarm, audit
  --json           one CloudEvent a line, as the hub gives it
  --url URL        address of the hub, such as https://hub-01.local:8443; without it as the settings say
${SETTINGS}
A certificate of your own is trusted with NODE_EXTRA_CA_CERTS=FILE.`,
    load: () => import('./events.ts'),
  },
  lines: {
    what: 'look at the lines of a running hub: what goes over them, what is asked for, what was refused',
    usage: `linli lines [--json]
linli lines trace ID [--live] [--json]
linli lines plan ID [--json]

Without more: every line with what it counted since it was opened. Asks the hub over its HTTP interface, with the token in
LINLI_TOKEN, which has to be that of a consumer with all rights.
trace prints what was on the line before and after each fault, in bytes and in words, the newest last; times in seconds
from the question that went wrong. The hub keeps the last of them in memory, since it was started.
plan prints what is asked of each device in which requests, what it refused, and how much of the line's time that takes,
computed and measured.
  --live           every exchange from now on, until Ctrl-C
  --json           all of it as JSON; with --live an object a line; of a plan with a patch (RFC 6902) of each profile
                   that asks for what a device does not have
  --url URL        address of the hub; without it as the settings say
${SETTINGS}`,
    load: () => import('./lines.ts'),
  },
  log: {
    what: 'look after the log: is it whole, what is in it, how long does its room last',
    usage: `linli log verify [FILE] [--settings FILE] [--json]
linli log export [FILE] [--after PLACE] [--types T] [--devices D] [--classes C] [--settings FILE]
linli log salvage FILE --to NEW [--json]
linli log forecast [--settings FILE] [--url URL] [--json]

verify reads every page and row of a log that no hub has open, and checks each against its CRC. Exit code 1 where
something is damaged or missing without a record.
export prints every event that can be read, one CloudEvent a line, also of a damaged file or of one set aside.
salvage makes a new log of everything that is whole in a damaged one.
forecast says how many bytes each class brings a day, and at this rate when readings are thinned and when something is lost for
want of room. Asks a running hub over its HTTP interface, with the token in LINLI_TOKEN; without one the file itself.
  --url URL        address of the hub; without it as the settings say
  --json           one JSON object; what never comes is left out
${SETTINGS}`,
    load: () => import('./log.ts'),
  },
  audit: {
    what: 'is the record of who did what untouched: its chain, and the key that signs it',
    usage: `linli audit verify [FILE] [--head HEADS] [--key FILE] [--settings FILE] [--json]
linli audit export [FILE] [--settings FILE]
linli audit key [--settings FILE] [--json]

verify follows the chain of the audit events in a log, a backup, or the log of a hub at work, and changes nothing in it: an
edit, a removal, an insertion, a move is named by its place. Exit code 1 where something is wrong.
  --head HEADS     a file of heads that were sent away (events linli.audit.head, one a line), or such a head itself: only
                   they show an end that was cut off, or a chain that somebody with the key made anew
  --key FILE       the hub's public key in PEM, kept elsewhere; without it the one in the data folder; more than once
                   where the hub had another key before
export writes the records of the chain as they are hashed, a line each: place, link, record, with tabs between; \`-\` for
what is not there. So the chain can be followed without this program.
key shows the public key; keep it where the hub can't reach it.
${SETTINGS}`,
    load: () => import('./audit.ts'),
  },
  backup: {
    what: 'copy the log of a running hub into a file, while it goes on',
    usage: `linli backup FILE [--url URL] [--settings FILE]

Asks the hub over its HTTP interface, with the token in LINLI_TOKEN, which has to be that of a consumer with all rights.
The file is one whole log, checked row by row. Keep hub.key of the data folder and the settings file beside it.
  --url URL        address of the hub; without it as the settings say
${SETTINGS}`,
    load: () => import('./backup.ts'),
  },
  restore: {
    what: "put a backup of the log, or one that was salvaged, in the place of a stopped hub's log",
    usage: `linli restore FILE [--settings FILE]

The log that stands there is set aside, never deleted. A new epoch begins, so that nothing is given out twice under one
name; consumers go on where the backup has them.
${SETTINGS}`,
    load: () => import('./restore.ts'),
  },
  scan: {
    what: 'look for devices on a line: which protocol, which speed, which number, which model',
    usage: `linli scan LINE [--settings FILE] [--url URL] [--patience N] [--yaml | --json]
linli scan --port PATH [--patience N] [--yaml | --json]

Tries speeds, framings and numbers, what is common first; Ctrl-C ends it at any time, with what was found so far. A line that a running
hub has is searched by the hub, in turns with its polling: for that it asks with the token in LINLI_TOKEN, which may see all.
  --port PATH      a serial port, without settings
  --url URL        address of the hub that has the line; without it as the settings say
  --patience N     wait N times as long for an answer: 1 to 20
  --yaml           the devices as they stand in the settings
  --json           one JSON object a device
${SETTINGS}`,
    load: () => import('./scan.ts'),
  },
  profiles: {
    what: 'list the device models that the hub knows, or the points of one',
    usage: `linli profiles [PROFILE] [--json]

  PROFILE  maker/model from the list, or the path of a file such as ./site/pump.json: its points, with their units and
           what they mean`,
    load: () => import('./profiles.ts'),
  },
  doctor: {
    what: 'look whether this machine is fit for a hub',
    usage: `linli doctor [--settings FILE] [--json]

Looks at Node, SQLite, the clock, the disk, serial ports and GPIO chips. Exit code 1 when a hub would not work.
${SETTINGS}`,
    load: () => import('./doctor.ts'),
  },
  generate: {
    what: 'write the files that are made from the source: JSON Schemas and tables of options',
    usage: `linli generate [--check]

For developers.
  --check  write nothing; exit code 1 when a file is not what it would be`,
    load: () => import('./generate.ts'),
  },
  version: {
    what: 'say which version this is',
    usage: `linli version [--json]`,
    load: () => import('./version.ts'),
  },
}

/** `linli VERB ...`: what the process does and the code that it ends with. */
export async function runCommand(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const [first = 'help', ...rest] = args
  if (first === 'help' || first === '--help' || first === '-h') return help(rest[0], terminal)
  if (first === '--version' || first === '-v') return runVerb('version', rest, terminal)
  if (Object.hasOwn(VERBS, first)) return runVerb(first, rest, terminal)
  return unknownVerb(first, terminal)
}

async function runVerb(name: string, args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  if (args.includes('--help') || args.includes('-h')) return help(name, terminal)
  try {
    const { run } = await VERBS[name]!.load()
    return await run(args, terminal)
  } catch (error) {
    if (error instanceof UsageError) {
      terminal.error(`linli ${name}: ${error.message}\n\n${VERBS[name]!.usage}\n`)
      return 2
    }
    // Whatever is no Fault is a mistake of ours and keeps its trace.
    if (!isFault(error)) throw error
    terminal.error(`linli ${name}: ${error.message}\n${error.hint === undefined ? '' : `    ${error.hint}\n`}`)
    return error.reach === 'setup' ? 2 : 1
  }
}

function help(name: string | undefined, terminal: Terminal): ExitCode {
  if (name !== undefined) {
    const verb = Object.hasOwn(VERBS, name) ? VERBS[name] : undefined
    if (verb === undefined) return unknownVerb(name, terminal)
    terminal.out(`linli ${name}: ${verb.what}\n\n${verb.usage}\n`)
    return 0
  }
  const width = Math.max(...Object.keys(VERBS).map(({ length }) => length))
  const lines = Object.entries(VERBS).map(([verb, { what }]) => `  ${verb.padEnd(width)}  ${what}`)
  terminal.out(`linli VERB [...]: the hub of a community\n\n${lines.join('\n')}\n\nlinli help VERB says more.\n`)
  return 0
}

function unknownVerb(name: string, terminal: Terminal): ExitCode {
  const guess = nearest(name, Object.keys(VERBS))
  const way = guess === undefined ? '`linli help` lists the verbs' : `did you mean \`linli ${guess}\`?`
  terminal.error(`linli: unknown verb \`${name}\`; ${way}\n`)
  return 2
}
