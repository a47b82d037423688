import type { z } from 'zod'
import { ApiProblem } from './problem.ts'

/**
 * The body of a request as the schema has it.
 * @param hint what a right body looks like
 * @throws ApiProblem that names the place, and the way out
 */
export function readBody<T>(schema: z.ZodType<T>, body: string, hint: string): T {
  const members = { hint }
  let json: unknown
  try {
    json = JSON.parse(body)
  } catch (cause) {
    throw new ApiProblem(400, 'bad-request', `the body is not JSON: ${(cause as Error).message}; ${hint}`, { members })
  }
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const where = issue?.path.join('.') ?? ''
  const detail = `the body is not understood: ${where === '' ? '' : `${where}: `}${issue?.message}; ${hint}`
  throw new ApiProblem(400, 'bad-request', detail, { members })
}
