import { expect, test } from 'vitest'
import { createNotifier } from '../../../../gateway/io/sd-notify.ts'

test('without NOTIFY_SOCKET every call does nothing, and nobody watches', () => {
  const notifier = createNotifier({ WATCHDOG_USEC: '30000000' })
  notifier.ready()
  notifier.beat()
  notifier.status('well')
  notifier.stopping()
  expect(notifier.watchdogMs).toBeUndefined()
})

test.each([
  ['30000000', undefined, 30_000],
  ['500000', String(process.pid), 500],
  ['500000', '1', undefined],
  [undefined, undefined, undefined],
  ['', undefined, undefined],
  ['0', undefined, undefined],
  ['soon', undefined, undefined],
])('WATCHDOG_USEC=%s WATCHDOG_PID=%s watches every %s ms', (WATCHDOG_USEC, WATCHDOG_PID, expected) => {
  const environment = { NOTIFY_SOCKET: '@linli-nobody-listens-here', WATCHDOG_USEC, WATCHDOG_PID }
  expect(createNotifier(environment).watchdogMs).toBe(expected)
})

test('nobody at the other end is no error of the hub: systemd may be between two lives', () => {
  const notifier = createNotifier({ NOTIFY_SOCKET: '/nowhere/linli/notify' })
  expect(() => notifier.beat()).not.toThrow()
})

test.each([
  ['vsock:2:1234', 'a path that begins with / or a name that begins with @'],
  ['notify', 'a path that begins with / or a name that begins with @'],
  [`/${'x'.repeat(107)}`, 'at most 107 bytes'],
])('the address %s is refused, and it is said what is wanted', (address, wanted) => {
  expect(() => createNotifier({ NOTIFY_SOCKET: address })).toThrow(
    `NOTIFY_SOCKET is ${JSON.stringify(address)}: ${wanted} is wanted`,
  )
})
