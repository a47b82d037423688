const TCP = 'tcp:'

/** A serial server: a box on the network that hands on what comes, at the one speed that it is set to itself. */
export interface SerialServer {
  readonly host: string
  readonly port: number
}

/** @returns undefined for a port of this machine, and for `tcp://` without a host and a port */
export function serialServer(port: string): SerialServer | undefined {
  if (!port.startsWith(`${TCP}//`) || !URL.canParse(port)) return undefined
  const { hostname, port: number } = new URL(port)
  return hostname === '' || number === '' ? undefined : { host: hostname, port: Number(number) }
}

/** Whether it names something on the network, well or badly. */
export function isOnNetwork(port: string): boolean {
  return port.startsWith(TCP)
}
