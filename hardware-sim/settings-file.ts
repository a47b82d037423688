import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import type { Scenario, ScenarioMeter } from './scenario.ts'

/** Where the parts of a world are to be found, once they are there. */
export interface WorldAddresses {
  readonly lines: readonly { readonly id: string; readonly path: string }[]
  readonly modbusTcp: readonly { readonly id: string; readonly host: string; readonly port: number }[]
  readonly door?: { readonly id: string; readonly chip: string }
  readonly camera?: { readonly id: string; readonly host: string; readonly port: number }
  readonly broker?: { readonly id: string; readonly url: string }
}

export interface CameraLogin {
  readonly username: string
  readonly password: string
}

/**
 * Write what a hub needs to work in this world: `hub.yaml`, `secrets/` (readable by nobody else) and the
 * profiles that the scenario brings along.
 * @returns the path of the settings file
 */
export function writeSettings(folder: string, scenario: Scenario, at: WorldAddresses, login: CameraLogin): string {
  mkdirSync(join(folder, 'var'), { recursive: true })
  mkdirSync(join(folder, 'secrets'), { recursive: true, mode: 0o700 })
  if (at.camera !== undefined) {
    writeFileSync(join(folder, 'secrets', at.camera.id), login.password, { mode: 0o600 })
  }
  const connections = [
    ...scenario.lines.map((line, i) => ({
      id: line.id,
      rs485: { port: at.lines[i]!.path, baud: line.baud, parity: line.parity, stopBits: line.stopBits },
      devices: line.meters.map((meter) => device(folder, meter)),
    })),
    ...scenario.modbusTcp.map((host, i) => ({
      id: host.id,
      modbusTcp: { host: at.modbusTcp[i]!.host, port: at.modbusTcp[i]!.port },
      devices: host.meters.map((meter) => device(folder, meter)),
    })),
    ...(at.door === undefined ? [] : [doorConnection(at.door)]),
    ...(at.camera === undefined ? [] : [cameraConnection(at.camera, login)]),
  ]
  const settings = {
    hub: { ...scenario.hub, timezone: 'Asia/Shanghai', language: 'zh' },
    storage: { path: './var/hub.db' },
    connections,
    upstream: at.broker === undefined ? [] : [upstream(at.broker)],
    consumers: [{ id: 'property', rights: { types: ['*'], privacy: 'sensitive' } }],
    api: scenario.api,
  }
  const path = join(folder, 'hub.yaml')
  writeFileSync(path, stringify(settings), { mode: 0o600 })
  return path
}

function device(folder: string, meter: ScenarioMeter): object {
  const { id, address, every } = meter
  const rest = { address, every, ...(meter.serial === undefined ? {} : { serial: meter.serial }) }
  if (typeof meter.profile === 'string') return { id, profile: meter.profile, ...rest }
  mkdirSync(join(folder, 'site'), { recursive: true })
  writeFileSync(join(folder, 'site', `${id}.json`), JSON.stringify(meter.profile, undefined, 2))
  return { id, profile: `./site/${id}.json`, ...rest }
}

function doorConnection({ id, chip }: { readonly id: string; readonly chip: string }): object {
  return {
    id,
    gpioDoor: {
      chip,
      lock: 17,
      contact: 27,
      exitButton: 22,
      fire: 23,
      unlockFor: '5s',
      heldAfter: '30s',
      failMode: 'secure',
    },
  }
}

function cameraConnection(camera: NonNullable<WorldAddresses['camera']>, login: CameraLogin): object {
  const { id, host, port } = camera
  return { id, onvif: { host, port, username: login.username, password: { secret: id } } }
}

/** All rights, so that a missing place in the log is a loss; quick to come back, so that a demonstration shows it. */
function upstream({ id, url }: { readonly id: string; readonly url: string }): object {
  return {
    id,
    mqtt: { url, format: 'cloudevents', qos: 1, reconnectMax: '2s' },
    rights: { types: ['*'], privacy: 'sensitive' },
  }
}
