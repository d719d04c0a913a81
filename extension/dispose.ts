/** @file Lifetimes: what an object has opened ends when the object does. */

/** A {@link Disposable}, or VS Code's, or anything else with an end. */
interface Ending {
  dispose(): unknown;
}

/** Ends what it has registered when it is disposed of, the newest first; being disposed of again does nothing. */
export class Disposable {
  readonly #registered: Ending[] = [];
  #disposed = false;

  /** True from the beginning of {@link dispose} on. */
  protected get disposed(): boolean {
    return this.#disposed;
  }

  /**
   * What a slow start creates after this object was disposed of is disposed of at once.
   * @returns the value
   */
  protected register<T extends Ending>(value: T): T {
    if (this.#disposed) value.dispose();
    else this.#registered.push(value);
    return value;
  }

  dispose(): void {
    this.#disposed = true;
    for (let value = this.#registered.pop(); value; value = this.#registered.pop()) value.dispose();
  }
}
