import { DEVICE, EVENTS, MEDIA, NOTIFICATION, SCHEMA } from './names.ts'
import type { XmlElement } from './xml.ts'

/** Which of the camera's services an operation belongs to. */
export type Service = 'device' | 'media' | 'events' | 'subscription'

/** A child of a request, in its place. */
interface Part {
  readonly name: string
  /** Of the operation, where it is not said otherwise. */
  readonly namespace?: string
  readonly optional?: boolean
  readonly repeated?: boolean
  readonly value?: RegExp
  readonly parts?: readonly Part[]
}

export interface Rule {
  readonly service: Service
  readonly namespace: string
  /** What WS-Addressing calls the message; what a request says must be this. */
  readonly action: string
  readonly parts: readonly Part[]
  /** Needs no login (ONVIF Core, 5.12.1, access class PRE_AUTH). */
  readonly open?: boolean
}

const DURATION = /^P(\d+D)?(T(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?$/
const DURATION_OR_TIME = /^(P(\d+D)?(T(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?|\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)?)$/
const CATEGORIES = /^(All|Analytics|Device|Events|Imaging|Media|PTZ)$/
const MANAGER = 'http://docs.oasis-open.org/wsn/bw-2/SubscriptionManager'
const PULL_POINT = `${EVENTS}/PullPointSubscription`

function device(operation: string, parts: readonly Part[], open = false): Rule {
  return { service: 'device', namespace: DEVICE, action: `${DEVICE}/${operation}`, parts, open }
}
function media(operation: string, parts: readonly Part[]): Rule {
  return { service: 'media', namespace: MEDIA, action: `${MEDIA}/${operation}`, parts }
}

/** The requests that this camera knows, as their WSDL orders them (devicemgmt.wsdl, media.wsdl, event.wsdl, b-2.xsd). */
export const RULES: Readonly<Record<string, Rule>> = {
  GetSystemDateAndTime: device('GetSystemDateAndTime', [], true),
  GetServices: device('GetServices', [{ name: 'IncludeCapability', value: /^(true|false|0|1)$/ }], true),
  GetCapabilities: device(
    'GetCapabilities',
    [{ name: 'Category', optional: true, repeated: true, value: CATEGORIES }],
    true,
  ),
  GetDeviceInformation: device('GetDeviceInformation', []),
  GetProfiles: media('GetProfiles', []),
  GetVideoSources: media('GetVideoSources', []),
  GetSnapshotUri: media('GetSnapshotUri', [{ name: 'ProfileToken' }]),
  GetStreamUri: media('GetStreamUri', [
    {
      name: 'StreamSetup',
      parts: [
        { name: 'Stream', namespace: SCHEMA, value: /^RTP-(Unicast|Multicast)$/ },
        {
          name: 'Transport',
          namespace: SCHEMA,
          parts: [{ name: 'Protocol', namespace: SCHEMA, value: /^(UDP|TCP|RTSP|HTTP)$/ }],
        },
      ],
    },
    { name: 'ProfileToken' },
  ]),
  GetEventProperties: {
    service: 'events',
    namespace: EVENTS,
    action: `${EVENTS}/EventPortType/GetEventPropertiesRequest`,
    parts: [],
  },
  CreatePullPointSubscription: {
    service: 'events',
    namespace: EVENTS,
    action: `${EVENTS}/EventPortType/CreatePullPointSubscriptionRequest`,
    parts: [
      { name: 'Filter', optional: true },
      { name: 'InitialTerminationTime', optional: true, value: DURATION_OR_TIME },
      { name: 'SubscriptionPolicy', optional: true },
    ],
  },
  PullMessages: {
    service: 'subscription',
    namespace: EVENTS,
    action: `${PULL_POINT}/PullMessagesRequest`,
    parts: [
      { name: 'Timeout', value: DURATION },
      { name: 'MessageLimit', value: /^\d+$/ },
    ],
  },
  SetSynchronizationPoint: {
    service: 'subscription',
    namespace: EVENTS,
    action: `${PULL_POINT}/SetSynchronizationPointRequest`,
    parts: [],
  },
  Renew: {
    service: 'subscription',
    namespace: NOTIFICATION,
    action: `${MANAGER}/RenewRequest`,
    parts: [{ name: 'TerminationTime', value: DURATION_OR_TIME }],
  },
  Unsubscribe: {
    service: 'subscription',
    namespace: NOTIFICATION,
    action: `${MANAGER}/UnsubscribeRequest`,
    parts: [],
  },
}

/** What is wrong with the children of a request: order, namespace, number and values; undefined for nothing. */
export function wrongPart(element: XmlElement, parts: readonly Part[], namespace: string): string | undefined {
  let at = 0
  for (const part of parts) {
    const wanted = part.namespace ?? namespace
    let count = 0
    for (; element.children[at]?.name === part.name; at++) {
      const child = element.children[at]!
      if (child.namespace !== wanted) return `${part.name} is in the namespace ${child.namespace}, not in ${wanted}`
      if (part.value !== undefined && !part.value.test(child.text)) return `${part.name} can't be ${child.text}`
      const below = part.parts === undefined ? undefined : wrongPart(child, part.parts, wanted)
      if (below !== undefined) return below
      count += 1
    }
    if (count === 0 && part.optional !== true) return `${part.name} is wanted in ${element.name}`
    if (count > 1 && part.repeated !== true) return `${part.name} stands ${count} times in ${element.name}`
  }
  const rest = element.children[at]
  return rest === undefined ? undefined : `${rest.name} has no place there in ${element.name}`
}
