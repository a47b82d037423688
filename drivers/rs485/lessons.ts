import type { Host } from '../../gateway/contract/driver.ts'

/** What a device refused stays known while its connection is opened again, so that it is not asked for anew each time. */
export function refusedBy(device: string, host: Pick<Host<unknown>, 'keep'>): Map<string, string> {
  return host.keep(`refused by ${device}`, () => new Map<string, string>())
}
