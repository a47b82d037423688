import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A disk for one process that fails as told, see faulty-disk.c. */
export class FaultyDisk {
  readonly #folder = mkdtempSync(join(tmpdir(), 'linli-faulty-'))
  readonly #library = join(this.#folder, 'faulty-disk.so')

  constructor() {
    const source = join(import.meta.dirname, 'faulty-disk.c')
    execFileSync('cc', ['-O1', '-shared', '-fPIC', '-o', this.#library, source, '-ldl', '-lpthread'])
  }

  /** @param faults `call:end of the name:from-to:how`, separated by semicolons */
  environment(faults: string): Readonly<Record<string, string>> {
    rmSync(this.#told, { force: true })
    return { LD_PRELOAD: this.#library, FAULTY_DISK: faults, FAULTY_DISK_TOLD: this.#told }
  }

  /** The same, from `begin` to `end` only. */
  switched(faults: string): {
    readonly environment: Readonly<Record<string, string>>
    readonly begin: () => void
    readonly end: () => void
  } {
    const broken = join(this.#folder, 'broken')
    return {
      environment: { ...this.environment(faults), FAULTY_DISK_WHILE: broken },
      begin: () => writeFileSync(broken, ''),
      end: () => rmSync(broken),
    }
  }

  get #told(): string {
    return join(this.#folder, 'told')
  }

  /** What has failed since the environment was asked for. */
  failed(): readonly string[] {
    return existsSync(this.#told) ? readFileSync(this.#told, 'utf8').trim().split('\n') : []
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true })
  }
}
