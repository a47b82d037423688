import { z } from 'zod'
import type { DriverTable } from './check.ts'
import type { SchemaNode } from './explain.ts'
import { settingsSchema } from './schema.ts'

/** Editors that complete YAML know this edition best. */
const TARGET = 'draft-7'

/** The JSON Schema (draft 7) of what a person writes. */
export function publishedSchema(schema: z.ZodType): SchemaNode {
  return z.toJSONSchema(schema, { io: 'input', target: TARGET, unrepresentable: 'any' }) as SchemaNode
}

/** The JSON Schema of a settings file: for editors and for programs that write settings. */
export function settingsJsonSchema(drivers: DriverTable): SchemaNode {
  const root = publishedSchema(settingsSchema)
  const connections = root.properties?.connections
  const id = connections?.items?.properties?.id
  if (connections === undefined || id === undefined) throw new Error('the settings have no connections')
  const kinds = Object.values(drivers).map((driver) => connectionSchema(driver.options, id))
  return {
    ...root,
    title: 'Settings of a Linli Hub',
    properties: { ...root.properties, connections: { ...connections, items: { oneOf: kinds } } },
  }
}

/** What a driver wants of a connection, and the id that every connection has. */
function connectionSchema(options: z.ZodType, id: SchemaNode): SchemaNode {
  const { $schema: _, ...own } = publishedSchema(options)
  return { ...own, properties: { id, ...own.properties }, required: ['id', ...(own.required ?? [])] }
}
