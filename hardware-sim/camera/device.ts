import { DEVICE, EVENTS, MEDIA } from './names.ts'
import { escapeText } from './xml.ts'

/** What the camera says of itself. */
export interface Identity {
  readonly maker: string
  readonly model: string
  readonly firmware: string
  readonly serial: string
  readonly hardware: string
}

/** Texts that a careless client turns into numbers: zeros in front and behind. */
export const IDENTITY: Identity = {
  maker: 'Linli',
  model: 'Simulated Dome',
  firmware: '0.10',
  serial: '0098765432',
  hardware: '1.0',
}

/** The answers of the device and media services, by operation. */
export function deviceAnswer(
  operation: string,
  { identity, nowMs, url }: { readonly identity: Identity; readonly nowMs: number; url(path: string): string },
): string | undefined {
  switch (operation) {
    case 'GetSystemDateAndTime':
      return systemDateAndTime(nowMs)
    case 'GetDeviceInformation':
      return deviceInformation(identity)
    case 'GetCapabilities':
      return capabilities(url)
    case 'GetServices':
      return services(url)
    case 'GetProfiles':
      return PROFILES
    case 'GetVideoSources':
      return VIDEO_SOURCES
    case 'GetSnapshotUri':
      return mediaUri('GetSnapshotUriResponse', url('/snapshot.jpg'))
    case 'GetStreamUri':
      return mediaUri('GetStreamUriResponse', url('/main').replace(/^http:\/\/([^:/]+)(:\d+)?/, 'rtsp://$1:554'))
    default:
      return undefined
  }
}

function deviceInformation({ maker, model, firmware, serial, hardware }: Identity): string {
  return (
    `<tds:GetDeviceInformationResponse><tds:Manufacturer>${escapeText(maker)}</tds:Manufacturer>` +
    `<tds:Model>${escapeText(model)}</tds:Model><tds:FirmwareVersion>${escapeText(firmware)}</tds:FirmwareVersion>` +
    `<tds:SerialNumber>${escapeText(serial)}</tds:SerialNumber><tds:HardwareId>${escapeText(hardware)}</tds:HardwareId>` +
    '</tds:GetDeviceInformationResponse>'
  )
}

function systemDateAndTime(ms: number): string {
  const now = new Date(ms)
  const time = `<tt:Time><tt:Hour>${now.getUTCHours()}</tt:Hour><tt:Minute>${now.getUTCMinutes()}</tt:Minute><tt:Second>${now.getUTCSeconds()}</tt:Second></tt:Time>`
  const date = `<tt:Date><tt:Year>${now.getUTCFullYear()}</tt:Year><tt:Month>${now.getUTCMonth() + 1}</tt:Month><tt:Day>${now.getUTCDate()}</tt:Day></tt:Date>`
  return (
    '<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:DateTimeType>NTP</tt:DateTimeType>' +
    '<tt:DaylightSavings>false</tt:DaylightSavings><tt:TimeZone><tt:TZ>CST-8</tt:TZ></tt:TimeZone>' +
    `<tt:UTCDateTime>${time}${date}</tt:UTCDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>`
  )
}

function capabilities(url: (path: string) => string): string {
  return (
    `<tds:GetCapabilitiesResponse><tds:Capabilities><tt:Device><tt:XAddr>${url('/onvif/device_service')}</tt:XAddr></tt:Device>` +
    `<tt:Events><tt:XAddr>${url('/onvif/events_service')}</tt:XAddr><tt:WSSubscriptionPolicySupport>false</tt:WSSubscriptionPolicySupport>` +
    '<tt:WSPullPointSupport>true</tt:WSPullPointSupport><tt:WSPausableSubscriptionManagerInterfaceSupport>false</tt:WSPausableSubscriptionManagerInterfaceSupport></tt:Events>' +
    `<tt:Media><tt:XAddr>${url('/onvif/media_service')}</tt:XAddr></tt:Media></tds:Capabilities></tds:GetCapabilitiesResponse>`
  )
}

function services(url: (path: string) => string): string {
  const service = (namespace: string, path: string): string =>
    `<tds:Service><tds:Namespace>${namespace}</tds:Namespace><tds:XAddr>${url(path)}</tds:XAddr>` +
    '<tds:Version><tt:Major>21</tt:Major><tt:Minor>6</tt:Minor></tds:Version></tds:Service>'
  const all =
    service(DEVICE, '/onvif/device_service') +
    service(EVENTS, '/onvif/events_service') +
    service(MEDIA, '/onvif/media_service')
  return `<tds:GetServicesResponse>${all}</tds:GetServicesResponse>`
}

const VIDEO_SOURCES =
  '<trt:GetVideoSourcesResponse><trt:VideoSources token="lens"><tt:Framerate>25</tt:Framerate>' +
  '<tt:Resolution><tt:Width>160</tt:Width><tt:Height>120</tt:Height></tt:Resolution></trt:VideoSources></trt:GetVideoSourcesResponse>'

const PROFILES =
  '<trt:GetProfilesResponse><trt:Profiles token="main" fixed="true"><tt:Name>main</tt:Name>' +
  '<tt:VideoSourceConfiguration token="lens-config"><tt:Name>lens</tt:Name><tt:UseCount>1</tt:UseCount><tt:SourceToken>lens</tt:SourceToken>' +
  '<tt:Bounds x="0" y="0" width="160" height="120"/></tt:VideoSourceConfiguration>' +
  '<tt:VideoEncoderConfiguration token="encoder"><tt:Name>jpeg</tt:Name><tt:UseCount>1</tt:UseCount><tt:Encoding>JPEG</tt:Encoding>' +
  '<tt:Resolution><tt:Width>160</tt:Width><tt:Height>120</tt:Height></tt:Resolution><tt:Quality>5</tt:Quality>' +
  '<tt:SessionTimeout>PT60S</tt:SessionTimeout></tt:VideoEncoderConfiguration></trt:Profiles></trt:GetProfilesResponse>'

function mediaUri(response: string, uri: string): string {
  return (
    `<trt:${response}><trt:MediaUri><tt:Uri>${uri}</tt:Uri><tt:InvalidAfterConnect>false</tt:InvalidAfterConnect>` +
    `<tt:InvalidAfterReboot>false</tt:InvalidAfterReboot><tt:Timeout>PT60S</tt:Timeout></trt:MediaUri></trt:${response}>`
  )
}
