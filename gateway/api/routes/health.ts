import type { Json } from '../../contract/event.ts'
import type { Route } from '../route.ts'

/** How the hub is, with whatever else is worth saying. */
export type Health = () => { readonly ok: boolean; readonly [name: string]: Json }

/** `GET /healthz`: 200 when all is well, else 503. A stranger learns no more than that. */
export function healthRoute(health: Health): Route {
  return {
    method: 'GET',
    path: '/healthz',
    open: true,
    async handle({ caller }) {
      const all = health()
      const told = caller === undefined ? { ok: all.ok } : all
      return { status: all.ok ? 200 : 503, type: 'application/json; charset=utf-8', body: JSON.stringify(told) }
    },
  }
}
