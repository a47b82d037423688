import type { Figure } from '../../contract/figure.ts'
import { prometheusText } from '../prometheus.ts'
import type { Route } from '../route.ts'

/** `GET /metrics`: every figure of the hub, for Prometheus. Any consumer's token will do. */
export function metricsRoute(figures: () => readonly Figure[]): Route {
  return {
    method: 'GET',
    path: '/metrics',
    handle: async () => ({
      status: 200,
      type: 'text/plain; version=0.0.4; charset=utf-8',
      body: prometheusText(figures()),
    }),
  }
}
