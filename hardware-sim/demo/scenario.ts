import { duration } from '../../gateway/contract/units.ts'

interface DemoMeter {
  readonly id: string
  readonly address: number
  readonly every: string
  readonly fault?: object
}

/** A scenario as its file holds it, as far as the demonstration itself looks at it. */
export interface DemoScenario {
  readonly hub: { readonly id: string; readonly name: string }
  readonly lines: readonly { readonly id: string; readonly meters: readonly DemoMeter[] }[]
  readonly modbusTcp: readonly { readonly id: string; readonly meters: readonly DemoMeter[] }[]
  readonly api: { readonly listen: string }
}

/**
 * One house of a community: the flats' meters on a line in the cellar, one of them dead, those of the house itself
 * on a faster one, the plant room on TCP, the gate, and the camera in the lobby.
 */
export function demoScenario(listen: string): DemoScenario {
  const flats = [301, 302, 303, 304, 305, 306].map((flat, index) => ({
    id: `meter-${flat}`,
    address: index + 1,
    every: '5s',
    ...(flat === 304 ? { fault: { kind: 'silence' } } : {}),
  }))
  const house = ['lift', 'lobby-light', 'charger'].map((id, index) => ({ id, address: index + 1, every: '2s' }))
  const plant = ['pump-1', 'pump-2', 'boiler'].map((id, index) => ({ id, address: index + 1, every: '1s' }))
  const scenario = {
    hub: { id: 'hub-01', name: '阳光花园 3 号楼' },
    lines: [
      { id: 'line-1', baud: 9600, meters: flats },
      { id: 'line-2', baud: 19_200, parity: 'even', meters: house },
    ],
    modbusTcp: [{ id: 'plant', meters: plant }],
    door: { id: 'gate' },
    camera: { id: 'cam-lobby' },
    broker: { id: 'city' },
    life: { visitEvery: '12s', motionEvery: '9s' },
    api: { listen },
  }
  return scenario
}

/** How often each meter is read, by its id. */
export function intervalsOf({ lines, modbusTcp }: DemoScenario): ReadonlyMap<string, number> {
  const meters = [...lines, ...modbusTcp].flatMap((connection) => connection.meters)
  return new Map(meters.map(({ id, every }) => [id, duration.parse(every)]))
}
