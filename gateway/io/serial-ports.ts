import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { SerialPortInfo } from '../contract/io.ts'

const BY_PATH = '/dev/serial/by-path'
const BY_ID = '/dev/serial/by-id'
const CLASS = '/sys/class/tty'
/** A `ttyS` of which the kernel found no UART (PORT_UNKNOWN in <linux/serial_core.h>). */
const NO_UART = '0'
/** From the tty to its USB device there are this many folders at the most. */
const FOLDERS_UP = 6

/** The serial ports of this machine as the kernel lists them: those with a device behind them. */
export function listSerialPorts(): SerialPortInfo[] {
  const byPath = links(BY_PATH)
  const byId = links(BY_ID)
  return namesIn(CLASS)
    .filter(isPort)
    .map((name) => {
      const path = `/dev/${name}`
      const usb = usbDevice(join(CLASS, name, 'device'))
      return {
        path,
        ...given('byPath', byPath.get(path)),
        ...given('byId', byId.get(path)),
        ...given('serialNumber', usb === undefined ? undefined : textOf(join(usb, 'serial'))),
        ...given('maker', usb === undefined ? undefined : textOf(join(usb, 'manufacturer'))),
      }
    })
}

function isPort(name: string): boolean {
  if (!existsSync(join(CLASS, name, 'device'))) return false
  return !name.startsWith('ttyS') || textOf(join(CLASS, name, 'type')) !== NO_UART
}

/** The folder of the USB device that a tty belongs to: the one that says who made it. */
function usbDevice(device: string): string | undefined {
  let folder = realpathSync(device)
  for (let up = 0; up < FOLDERS_UP && basename(folder) !== 'devices'; up++) {
    if (existsSync(join(folder, 'idVendor'))) return folder
    folder = dirname(folder)
  }
  return undefined
}

/** Where the links of a folder of udev lead, the other way round. */
function links(folder: string): Map<string, string> {
  return new Map(namesIn(folder).map((name) => [realpathSync(join(folder, name)), join(folder, name)]))
}

function namesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).sort() : []
}

function textOf(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined
}

function given<Name extends string>(name: Name, value: string | undefined): { [key in Name]?: string } {
  return (value === undefined ? {} : { [name]: value }) as { [key in Name]?: string }
}
