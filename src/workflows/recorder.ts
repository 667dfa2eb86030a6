/** Writes what a workflow knows to the store, without ever holding it up or forgetting it. */
import { TemporalFailure, isCancellation } from '@temporalio/workflow';

export interface Recorded {
  /** Grows with every change. */
  revision(): number;
  /** One short try at writing what is known now. */
  writeShortly(): Promise<void>;
  /** The same, tried until it is done. */
  writeWithoutEnd(): Promise<void>;
}

export class Recorder {
  readonly #recorded: Recorded;
  #revision = -1;
  #background: Promise<void> | undefined;

  constructor(recorded: Recorded) {
    this.#recorded = recorded;
  }

  /**
   * One short try at writing the record, then on in the background without end: a store that is
   * down must neither hold the payment up nor grow its history.
   */
  async now(): Promise<void> {
    if (this.#background || !this.hasUnrecorded) return;
    const revision = this.#recorded.revision();
    try {
      await this.#recorded.writeShortly();
      this.#revision = revision;
    } catch (error) {
      // What a local activity failed with comes bare, not within an ActivityFailure.
      if (!(error instanceof TemporalFailure) || isCancellation(error)) throw error;
      this.inBackground();
    }
  }

  /** Without a short try: a local activity of a handler would meet those of the workflow itself. */
  inBackground(): void {
    this.#background ??= this.#withoutEnd().finally(() => {
      this.#background = undefined;
    });
  }

  /** Nothing is forgotten: no run ends with its record unwritten. */
  async finally(): Promise<void> {
    await this.now();
    while (this.#background) await this.#background;
    if (this.hasUnrecorded) await this.finally();
  }

  get hasUnrecorded(): boolean {
    return this.#recorded.revision() !== this.#revision;
  }

  get isRecording(): boolean {
    return this.#background !== undefined;
  }

  /** On to the latest: what only waits has no later turn of its own to record it. */
  async #withoutEnd(): Promise<void> {
    do {
      const revision = this.#recorded.revision();
      await this.#recorded.writeWithoutEnd();
      this.#revision = revision;
    } while (this.hasUnrecorded);
  }
}
