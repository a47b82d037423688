/** The parser of agsh/onvif, which its own types leave out; `library.ts` hands it what our HTTP brought. */
declare module 'onvif/lib/utils.js' {
  type Parsed = (error: Error | null, body: unknown, xml: string, status: number) => void
  export function parseSOAPString(xml: string, done: Parsed, status: number): void
}
