/** @file What VS Code keeps of the page: it survives tab switches, reloads and restarts. */
import type { RunKey } from '../server/protocol/wire/dashboard.ts';
import type { Remembered } from './viewContext.ts';

interface Stored {
  /** What the page is about, by which the editor shows it again after a restart. */
  readonly path?: string;
  readonly shown?: readonly RunKey[];
  readonly values: Readonly<Record<string, unknown>>;
}

/** The part of VS Code's API that keeps it. */
export interface Store {
  getState(): unknown;
  setState(state: unknown): unknown;
}

export class ViewState {
  readonly #store: Store;
  #stored: Stored;

  constructor(store: Store) {
    this.#store = store;
    this.#stored = parseStored(store.getState());
  }

  get shown(): readonly RunKey[] | undefined {
    return this.#stored.shown;
  }
  set shown(shown: readonly RunKey[]) {
    if (JSON.stringify(shown) !== JSON.stringify(this.#stored.shown)) this.#write({ ...this.#stored, shown });
  }

  set path(path: string) {
    if (path !== this.#stored.path) this.#write({ ...this.#stored, path });
  }

  remember<T>(name: string, initial: T, isValid: (value: unknown) => value is T): Remembered<T> {
    return {
      get: () => {
        const value = this.#stored.values[name];
        return isValid(value) ? value : initial;
      },
      set: (value) => this.#write({ ...this.#stored, values: { ...this.#stored.values, [name]: value } }),
    };
  }

  #write(stored: Stored): void {
    this.#stored = stored;
    this.#store.setState(stored);
  }
}

function parseStored(state: unknown): Stored {
  const { path, shown, values } = (typeof state === 'object' && state !== null ? state : {}) as Partial<
    Record<keyof Stored, unknown>
  >;
  return {
    ...(typeof path === 'string' && { path }),
    ...(Array.isArray(shown) && shown.every((key) => typeof key === 'string') && { shown: shown as string[] }),
    values: typeof values === 'object' && values !== null ? (values as Record<string, unknown>) : {},
  };
}
