import { type Camera, type CameraOptions, startCamera } from './camera/camera.ts'

/** A camera on a plug: without power its port is closed; with it again it has the same address and has forgotten everything. */
export class CameraPower {
  readonly port: number
  readonly #options: CameraOptions
  #camera: Camera | undefined

  private constructor(options: CameraOptions, camera: Camera) {
    this.#options = options
    this.#camera = camera
    this.port = camera.port
  }

  static async start(options: CameraOptions): Promise<CameraPower> {
    return new CameraPower(options, await startCamera(options))
  }

  /** Something moves before it, or no longer. Without power nobody sees it. */
  motion(active: boolean): void {
    this.#camera?.motion(active)
  }

  async cut(): Promise<void> {
    const camera = this.#camera
    this.#camera = undefined
    await camera?.close()
  }

  async restore(): Promise<void> {
    this.#camera ??= await startCamera({ ...this.#options, port: this.port })
  }
}
