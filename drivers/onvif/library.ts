import { Cam } from 'onvif'
import { Fault } from '../../gateway/contract/fault.ts'
import { find, parseXml, text } from './codec/xml.ts'

/** What a camera says of itself. All texts: the library would make a number of a serial number and lose its zeros. */
export interface CameraInfo {
  readonly maker: string
  readonly model: string
  readonly firmware: string
  readonly serial: string
  readonly hardware: string
}

export interface CameraAddress {
  readonly host: string
  readonly port: number
  readonly username: string
  readonly password: string
  readonly timeoutMs: number
}

/**
 * Ask a camera who it is, through the `onvif` library. The library calls itself connected with a wrong password too,
 * so the first call that needs the login decides.
 * @throws Fault of reach `connection`, code `denied` for a login that is not accepted
 */
export async function askWhoItIs(
  address: CameraAddress,
): Promise<{ readonly info: CameraInfo; readonly eventsPath: string }> {
  const { host, port, username, password, timeoutMs } = address
  const cam = new Cam({
    hostname: host,
    port,
    username,
    password,
    timeout: timeoutMs,
    preserveAddress: true,
    autoconnect: false,
  })
  await called<unknown>((done) => cam.getSystemDateAndTime(done), address)
  await called<unknown>((done) => cam.getCapabilities(done), address)
  const xml = await called<string>((done) => cam.getDeviceInformation((error, _data, raw) => done(error, raw)), address)
  const said = find(parseXml(Buffer.from(xml)), 'Envelope', 'Body', 'GetDeviceInformationResponse')
  const info = {
    maker: text(find(said, 'Manufacturer')),
    model: text(find(said, 'Model')),
    firmware: text(find(said, 'FirmwareVersion')),
    serial: text(find(said, 'SerialNumber')),
    hardware: text(find(said, 'HardwareId')),
  }
  const events = cam.uri.events
  if (events === undefined) {
    throw new Fault('connection', 'the camera has no event service', {
      code: 'no-events',
      hint: 'it can show pictures, but tell nothing by itself',
    })
  }
  return { info, eventsPath: `${events.pathname ?? '/'}${events.search ?? ''}` }
}

type Done<T> = (error: Error | null, value: T) => void

function called<T>(call: (done: Done<T>) => void, { host, port }: CameraAddress): Promise<T> {
  return new Promise((resolve, reject) => {
    call((error, value) =>
      error === null || error === undefined ? resolve(value) : reject(asFault(error, `${host}:${port}`)),
    )
  })
}

function asFault(error: Error, where: string): Fault {
  const { message } = error
  if (/not ?authori[sz]ed|unauthori[sz]ed|401|authority failure/i.test(message)) {
    return new Fault('connection', `the camera ${where} does not accept the user or the password (${message})`, {
      code: 'denied',
      hint: 'check the user in the settings and the secret; after a few wrong tries cameras lock the account for minutes',
      cause: error,
    })
  }
  const hint = 'is the camera on, and is this its ONVIF port?'
  return new Fault('connection', `the camera ${where} can't be asked: ${message}`, {
    code: 'camera',
    hint,
    cause: error,
  })
}
