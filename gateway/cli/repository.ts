import { fileURLToPath } from 'node:url'

/** The folder that all of this stands in. */
export const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url))
export const PROFILES_FOLDER = fileURLToPath(new URL('../../config/profiles', import.meta.url))
