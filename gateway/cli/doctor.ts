import { dirname } from 'node:path'
import { drivers } from '../../drivers/index.ts'
import { createProfiles } from '../io/profiles.ts'
import { createSecrets } from '../io/secrets.ts'
import { checkSettings } from '../settings/check.ts'
import { valueAt } from '../settings/explain.ts'
import { checkWorld } from '../settings/world.ts'
import { readArguments } from './arguments.ts'
import { diskFindings } from './doctor/disk.ts'
import { type Finding, well } from './doctor/finding.ts'
import { clockFinding, memoryFinding, nodeFinding, sqliteFinding } from './doctor/machine.ts'
import { deviceFiles, gpioFindings, portFindings, portsThere } from './doctor/ports.ts'
import { PROFILES_FOLDER } from './repository.ts'
import { readSettingsText, settingsPath, usualSettings } from './settings-file.ts'
import type { Terminal } from './terminal.ts'

const MARKS = { well: 'ok  ', doubtful: 'look', bad: 'BAD ' } as const

export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values } = readArguments(args, {
    settings: { type: 'string' },
    json: { type: 'boolean', default: false },
  })
  const findings = [nodeFinding(), await sqliteFinding(), clockFinding(), memoryFinding()]
  findings.push(...(await siteFindings(values.settings, terminal)))
  const bad = findings.some(({ state }) => state === 'bad')
  if (values.json) terminal.out(`${JSON.stringify({ ok: !bad, findings }, undefined, 2)}\n`)
  else {
    for (const { state, subject, text, hint } of findings) {
      terminal.out(
        `${MARKS[state]}  ${subject.padEnd(9)} ${text}\n${hint === undefined ? '' : `${' '.repeat(16)}${hint}\n`}`,
      )
    }
  }
  return bad ? 1 : 0
}

/** What the settings ask of this machine; without any, what ports it has. */
async function siteFindings(given: string | undefined, terminal: Terminal): Promise<Finding[]> {
  const path = given === undefined ? usualSettings(terminal) : settingsPath(given, terminal)
  if (path === undefined) {
    const hint = 'config/examples has some to begin with; name them with --settings FILE'
    return [{ state: 'doubtful', subject: 'settings', text: 'there are no settings yet', hint }, portsThere()]
  }
  const checked = checkSettings(readSettingsText(path), path, drivers)
  const besides = dirname(path)
  const io = { profiles: createProfiles({ folder: PROFILES_FOLDER, besides }), secrets: createSecrets({ besides }) }
  const problems = [...checked.problems, ...(await checkWorld(checked, drivers, io))]
  const wrong = problems.filter(({ severity }) => severity === 'error').length
  const hint = `\`linli check ${path}\` tells them`
  const settings: Finding =
    wrong > 0
      ? { state: 'bad', subject: 'settings', text: `${path}: ${wrong} mistakes`, hint }
      : problems.length > 0
        ? { state: 'doubtful', subject: 'settings', text: `${path}: ${problems.length} warnings`, hint }
        : well('settings', path)
  const options = checked.connections.map(({ connection }) => connection.options)
  const chips = options.map((option) => valueAt(option, ['gpioDoor', 'chip']))
  const usesGpio = chips.some((chip) => typeof chip === 'string' && !chip.startsWith('sim:'))
  const storage = checked.settings?.storage
  return [
    settings,
    ...(storage === undefined ? [] : diskFindings(besides, storage)),
    portsThere(),
    ...portFindings(deviceFiles(options)),
    ...gpioFindings(usesGpio),
  ]
}
