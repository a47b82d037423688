import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Clock } from '../../gateway/contract/clock.ts'
import type { Random } from '../../gateway/contract/io.ts'
import { jpeg } from './jpeg.ts'
import { answer, child, fault, parseRequest, textOf, tokenProblem } from './soap.ts'
import { durationMs, PullPoint } from './subscription.ts'

export interface CameraOptions {
  readonly host?: string
  readonly port?: number
  readonly username: string
  readonly password: string
  readonly clock: Clock
  readonly random: Random
  readonly signal: AbortSignal
  /** How far the camera's own clock is wrong. */
  readonly skewMs?: number
}

/** What a camera may be told to do wrong. */
export interface CameraFaults {
  /** Refuse every subscription with a SOAP fault. */
  refuseSubscriptions?: boolean
  /** Forget all subscriptions without a word, as in a restart. */
  forgetSubscriptions?: boolean
  /** Answer a pull with this instead: bytes that are no SOAP, a DOCTYPE, a page of HTML. */
  garbage?: string | undefined
  /** Never end an answer. */
  endless?: boolean
  /** Tell this address in the subscription reference. */
  wrongAddress?: string | undefined
}

export interface Camera {
  readonly port: number
  readonly faults: CameraFaults
  /** Requests by operation, to find who hammers. */
  readonly requests: ReadonlyMap<string, number>
  motion(active: boolean): void
  close(): Promise<void>
}

const TOKEN_TOLERANCE_MS = 5000
const BODY_BYTES_MAX = 100_000
const SUBSCRIPTIONS_MAX = 4

export async function startCamera(options: CameraOptions): Promise<Camera> {
  const camera = new SimulatedCamera(options)
  await camera.listen()
  return camera
}

class SimulatedCamera implements Camera {
  readonly faults: CameraFaults = {}
  readonly requests = new Map<string, number>()
  port = 0
  readonly #options: CameraOptions
  readonly #server: Server
  readonly #points = new Map<number, PullPoint>()
  #lastPoint = 0
  #moving = false
  #pictures = 0

  constructor(options: CameraOptions) {
    this.#options = options
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch(() => response.destroy())
    })
  }

  async listen(): Promise<void> {
    const { host = '127.0.0.1', port = 0, signal } = this.#options
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(port, host, resolve)
    })
    this.port = (this.#server.address() as AddressInfo).port
    signal.addEventListener('abort', () => void this.close(), { once: true })
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise<void>((done) => this.#server.close(() => done()))
  }

  motion(active: boolean): void {
    if (active === this.#moving) return
    this.#moving = active
    for (const point of this.#points.values()) point.put(this.#motionMessage('Changed'))
  }

  #nowMs(): number {
    return this.#options.clock.wallMs() + (this.#options.skewMs ?? 0)
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '/'
    if (request.method === 'GET' && path.startsWith('/snapshot.jpg')) {
      this.#pictures += 1
      response.setHeader('content-type', 'image/jpeg')
      return void response.end(jpeg(`picture ${this.#pictures} moving ${this.#moving}`))
    }
    if (request.method !== 'POST') return void response.writeHead(405).end()
    const text = await body(request)
    const { header, body: asked, operation } = parseRequest(text)
    this.requests.set(operation, (this.requests.get(operation) ?? 0) + 1)
    const { status, xml } = await this.#answer(operation, header, child(asked, operation), path)
    response.writeHead(status, { 'content-type': 'application/soap+xml; charset=utf-8' })
    if (this.faults.endless === true) return void response.write(xml.slice(0, -20))
    response.end(xml)
  }

  async #answer(
    operation: string,
    header: object,
    asked: object,
    path: string,
  ): Promise<{ status: number; xml: string }> {
    if (operation === 'GetSystemDateAndTime') return ok(this.#time())
    const problem = tokenProblem(header as never, this.#options, this.#nowMs(), TOKEN_TOLERANCE_MS)
    if (problem !== undefined) return { status: 400, xml: fault('NotAuthorized', `Sender not authorized: ${problem}`) }
    switch (operation) {
      case 'GetDeviceInformation':
        return ok(
          '<tds:GetDeviceInformationResponse><tds:Manufacturer>Linli</tds:Manufacturer><tds:Model>Simulated Dome</tds:Model>' +
            '<tds:FirmwareVersion>0.10</tds:FirmwareVersion><tds:SerialNumber>0098765432</tds:SerialNumber><tds:HardwareId>1.0</tds:HardwareId></tds:GetDeviceInformationResponse>',
        )
      case 'GetCapabilities':
        return ok(this.#capabilities())
      case 'GetServices':
        return ok(this.#services())
      case 'GetProfiles':
        return ok(
          '<trt:GetProfilesResponse><trt:Profiles token="main" fixed="true"><tt:Name>main</tt:Name></trt:Profiles></trt:GetProfilesResponse>',
        )
      case 'GetVideoSources':
        return ok(
          '<trt:GetVideoSourcesResponse><trt:VideoSources token="lens"><tt:Framerate>25</tt:Framerate></trt:VideoSources></trt:GetVideoSourcesResponse>',
        )
      case 'GetSnapshotUri':
        return ok(
          `<trt:GetSnapshotUriResponse><trt:MediaUri><tt:Uri>${this.#url('/snapshot.jpg')}</tt:Uri></trt:MediaUri></trt:GetSnapshotUriResponse>`,
        )
      case 'GetStreamUri':
        return ok(
          '<trt:GetStreamUriResponse><trt:MediaUri><tt:Uri>rtsp://127.0.0.1/main</tt:Uri></trt:MediaUri></trt:GetStreamUriResponse>',
        )
      default:
        return this.#events(operation, asked, path)
    }
  }

  async #events(operation: string, asked: object, path: string): Promise<{ status: number; xml: string }> {
    if (this.faults.forgetSubscriptions === true) {
      this.#points.clear()
      this.faults.forgetSubscriptions = false
    }
    if (operation === 'CreatePullPointSubscription') return this.#subscribe(asked)
    const point = this.#points.get(Number(/\/events\/(\d+)$/.exec(path)?.[1]))
    if (point === undefined || point.over) return { status: 500, xml: fault('InvalidArgVal', 'Resource unknown') }
    switch (operation) {
      case 'PullMessages':
        return this.#pull(point, asked)
      case 'SetSynchronizationPoint':
        point.put(this.#motionMessage('Initialized'))
        return ok('<tev:SetSynchronizationPointResponse/>')
      case 'Renew':
        point.endsMs = this.#options.clock.monoMs() + durationMs(textOf(asked as never, 'TerminationTime'))
        return ok(`<wsnt:RenewResponse>${this.#times(point)}</wsnt:RenewResponse>`)
      case 'Unsubscribe':
        this.#points.delete(point.id)
        return ok('<wsnt:UnsubscribeResponse/>')
      default:
        return { status: 500, xml: fault('ActionNotSupported', `Optional action not implemented: ${operation}`) }
    }
  }

  #subscribe(asked: object): { status: number; xml: string } {
    for (const [id, point] of this.#points) if (point.over) this.#points.delete(id)
    if (this.faults.refuseSubscriptions === true || this.#points.size >= SUBSCRIPTIONS_MAX) {
      return { status: 500, xml: fault('Action', 'no more subscriptions') }
    }
    this.#lastPoint += 1
    const point = new PullPoint(
      this.#lastPoint,
      durationMs(textOf(asked as never, 'InitialTerminationTime')),
      this.#options.clock,
    )
    this.#points.set(point.id, point)
    const address = this.faults.wrongAddress ?? this.#url(`/onvif/events/${point.id}`)
    return ok(
      `<tev:CreatePullPointSubscriptionResponse><tev:SubscriptionReference><wsa5:Address>${address}</wsa5:Address></tev:SubscriptionReference>` +
        `${this.#times(point)}</tev:CreatePullPointSubscriptionResponse>`,
    )
  }

  async #pull(point: PullPoint, asked: object): Promise<{ status: number; xml: string }> {
    const limit = Number(textOf(asked as never, 'MessageLimit')) || 10
    const messages = await point.pull(limit, durationMs(textOf(asked as never, 'Timeout')), this.#options.signal)
    if (this.faults.garbage !== undefined) return { status: 200, xml: this.faults.garbage }
    const times = `<tev:CurrentTime>${iso(this.#nowMs())}</tev:CurrentTime><tev:TerminationTime>${iso(this.#nowMs() + 60_000)}</tev:TerminationTime>`
    return ok(`<tev:PullMessagesResponse>${times}${messages.join('')}</tev:PullMessagesResponse>`)
  }

  #motionMessage(operation: 'Initialized' | 'Changed'): string {
    return (
      '<wsnt:NotificationMessage><wsnt:Topic Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet">tns1:RuleEngine/CellMotionDetector/Motion</wsnt:Topic>' +
      `<wsnt:Message><tt:Message UtcTime="${iso(this.#nowMs())}" PropertyOperation="${operation}"><tt:Source><tt:SimpleItem Name="VideoSourceConfigurationToken" Value="lens"/>` +
      `<tt:SimpleItem Name="Rule" Value="motion"/></tt:Source><tt:Data><tt:SimpleItem Name="IsMotion" Value="${this.#moving}"/></tt:Data></tt:Message></wsnt:Message></wsnt:NotificationMessage>`
    )
  }

  #times(point: PullPoint): string {
    const leftMs = point.endsMs - this.#options.clock.monoMs()
    return `<wsnt:CurrentTime>${iso(this.#nowMs())}</wsnt:CurrentTime><wsnt:TerminationTime>${iso(this.#nowMs() + leftMs)}</wsnt:TerminationTime>`
  }

  #time(): string {
    const now = new Date(this.#nowMs())
    const time = `<tt:Time><tt:Hour>${now.getUTCHours()}</tt:Hour><tt:Minute>${now.getUTCMinutes()}</tt:Minute><tt:Second>${now.getUTCSeconds()}</tt:Second></tt:Time>`
    const date = `<tt:Date><tt:Year>${now.getUTCFullYear()}</tt:Year><tt:Month>${now.getUTCMonth() + 1}</tt:Month><tt:Day>${now.getUTCDate()}</tt:Day></tt:Date>`
    return (
      '<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:DateTimeType>NTP</tt:DateTimeType><tt:DaylightSavings>false</tt:DaylightSavings>' +
      `<tt:TimeZone><tt:TZ>UTC0</tt:TZ></tt:TimeZone><tt:UTCDateTime>${time}${date}</tt:UTCDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>`
    )
  }

  #capabilities(): string {
    return (
      `<tds:GetCapabilitiesResponse><tds:Capabilities><tt:Device><tt:XAddr>${this.#url('/onvif/device_service')}</tt:XAddr></tt:Device>` +
      `<tt:Events><tt:XAddr>${this.#url('/onvif/events_service')}</tt:XAddr><tt:WSPullPointSupport>true</tt:WSPullPointSupport></tt:Events>` +
      `<tt:Media><tt:XAddr>${this.#url('/onvif/media_service')}</tt:XAddr></tt:Media></tds:Capabilities></tds:GetCapabilitiesResponse>`
    )
  }

  #services(): string {
    const service = (namespace: string, path: string): string =>
      `<tds:Service><tds:Namespace>http://www.onvif.org/ver10/${namespace}/wsdl</tds:Namespace><tds:XAddr>${this.#url(path)}</tds:XAddr>` +
      '<tds:Version><tt:Major>2</tt:Major><tt:Minor>60</tt:Minor></tds:Version></tds:Service>'
    const all =
      service('device', '/onvif/device_service') +
      service('events', '/onvif/events_service') +
      service('media', '/onvif/media_service')
    return `<tds:GetServicesResponse>${all}</tds:GetServicesResponse>`
  }

  #url(path: string): string {
    return `http://${this.#options.host ?? '127.0.0.1'}:${this.port}${path}`
  }
}

function ok(xml: string): { status: number; xml: string } {
  return { status: 200, xml: answer(xml) }
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}

async function body(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = []
  let bytes = 0
  for await (const piece of request) {
    bytes += (piece as Buffer).length
    if (bytes > BODY_BYTES_MAX) throw new Error('request is too long')
    pieces.push(piece as Buffer)
  }
  return Buffer.concat(pieces).toString('utf8')
}
