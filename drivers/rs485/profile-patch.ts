import type { Json } from '../../gateway/contract/event.ts'

interface Patched {
  readonly points: readonly { readonly point: string }[]
  readonly samples: readonly { readonly expect: Readonly<Record<string, unknown>> }[]
}

/**
 * The lesson of a model that does not have all points of its profile, as a JSON Patch (RFC 6902) that takes them out
 * of the profile's file, and out of its samples. Applied in order: what stands behind goes first.
 */
export function profilePatch({ points, samples }: Patched, refused: ReadonlySet<string>): Json[] {
  const remove = (path: string): Json => ({ op: 'remove', path })
  const ofSamples = samples.flatMap(({ expect }, at) => {
    const names = Object.keys(expect)
    const gone = names.filter((name) => refused.has(name))
    // A sample that expects nothing any more is none.
    return gone.length === names.length
      ? [remove(`/samples/${at}`)]
      : gone.map((name) => remove(`/samples/${at}/expect/${name}`))
  })
  const ofPoints = points.flatMap(({ point }, at) => (refused.has(point) ? [remove(`/points/${at}`)] : []))
  return [...ofSamples.reverse(), ...ofPoints.reverse()]
}
