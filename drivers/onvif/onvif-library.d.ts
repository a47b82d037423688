/** As much of agsh/onvif 0.8 as `library.ts` calls; the package brings no types of its own. */
declare module 'onvif' {
  type Done<T> = (error: Error | null, data: T, xml: string) => void
  export class Cam {
    constructor(options: {
      hostname: string
      port: number
      username: string
      password: string
      timeout: number
      preserveAddress: boolean
      autoconnect: boolean
    })
    readonly uri: { readonly events?: { readonly pathname?: string | null; readonly search?: string | null } }
    getSystemDateAndTime(done: Done<Date>): void
    getCapabilities(done: Done<unknown>): void
    getDeviceInformation(done: Done<unknown>): void
  }
}
