/** @file The settings of a layer in a Keras topology, read with their types. */
import { FormatError } from '../server/formats/formatError.ts';
import { isRecord } from '../server/protocol/record.ts';

export class LayerConfig {
  readonly name: string;
  readonly className: string;
  readonly #config: Readonly<Record<string, unknown>>;

  /** @param serialized `{ class_name, config }`; @throws FormatError for what is no layer */
  constructor(serialized: unknown) {
    const { class_name: className, config, name: outer } = isRecord(serialized) ? serialized : {};
    if (typeof className !== 'string' || !(isRecord(config) || Array.isArray(config)))
      throw new FormatError('its topology has a layer without class_name and config');
    this.className = className;
    // Old files have the list of a Sequential model's layers in the place of its settings.
    this.#config = isRecord(config) ? config : { layers: config };
    const name = this.#config.name ?? outer;
    this.name = typeof name === 'string' ? name : className;
  }

  /** The same layer with some settings changed. */
  with(changes: Readonly<Record<string, unknown>>): LayerConfig {
    return new LayerConfig({ class_name: this.className, config: { ...this.#config, ...changes } });
  }

  /** What the file says under a key, of any type. */
  value(key: string): unknown {
    return this.#config[key];
  }

  /** True where the file says something under a key: null says nothing. */
  has(key: string): boolean {
    return (this.#config[key] ?? null) !== null;
  }

  /** A finite number. */
  number(key: string, otherwise?: number): number {
    const value = this.#config[key] ?? otherwise;
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    throw this.error(`its ${key} is no number`);
  }

  /** A whole number of at least `least`. */
  count(key: string, otherwise?: number, least = 1): number {
    return this.#checkCount(key, this.#config[key] ?? otherwise, least);
  }

  /** So many whole numbers of at least `least`; one stands for all. */
  counts(key: string, length: number, otherwise?: number, least = 1): number[] {
    const value = this.#config[key] ?? otherwise;
    const list = Array.isArray(value) ? value : Array.from({ length }, () => value);
    if (list.length !== length) throw this.error(`its ${key} has not ${length} numbers`);
    return list.map((entry: unknown) => this.#checkCount(key, entry, least));
  }

  flag(key: string, otherwise: boolean): boolean {
    const value = this.#config[key] ?? otherwise;
    if (typeof value === 'boolean') return value;
    throw this.error(`its ${key} is neither true nor false`);
  }

  /** One of some words, in any of the ways that Keras and TensorFlow.js write them. */
  word<W extends string>(key: string, words: readonly W[], otherwise?: W): W {
    const value = this.#config[key] ?? otherwise;
    const word = typeof value === 'string' && words.find((one) => plain(one) === plain(value));
    if (word) return word;
    throw this.error(`its ${key} is '${String(value).slice(0, 40)}'; the runtime has ${words.join(', ')}`);
  }

  /** The layers that are within: those of a model, or that of a wrapper. */
  list(key: string): readonly unknown[] {
    const value = this.#config[key];
    if (Array.isArray(value)) return value;
    throw this.error(`its ${key} is no list`);
  }

  /** @throws FormatError unless images are [height, width, channels] */
  requireChannelsLast(): void {
    this.word('data_format', ['channels_last'], 'channels_last');
  }

  /** @param problem a clause that begins in lower case */
  error(problem: string): FormatError {
    return new FormatError(`its layer '${this.name}' (${this.className}) cannot be run: ${problem}`);
  }

  #checkCount(key: string, value: unknown, least: number): number {
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value < 2 ** 31) return value;
    throw this.error(`its ${key} is no whole number of at least ${least}`);
  }
}

/** `hard_sigmoid` and `hardSigmoid` are the same word. */
function plain(word: string): string {
  return word.replaceAll('_', '').toLowerCase();
}
