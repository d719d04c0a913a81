/**
 * @file Names that TensorFlow.js makes up for layers without one, and numbers in the order in which a process creates them: `dense_Dense3`,
 * `forward_lstm_LSTM1` (within a bidirectional layer), `sequential_2`, `model1`. A name of an author that ends alike (`enc_Layer0`,
 * `fpn_P3`) is none: before its number, a made-up one has its class twice.
 */

export interface MadeUpName {
  /** The name without its number. */
  readonly prefix: string;
  /** From 1. */
  readonly number: number;
  /** Name of the layer's class in TensorFlow.js. */
  readonly layerClass: string;
}

/** Names of classes are shorter. */
const LONGEST_NAME = 200;
/** Digits of a number that is exact. */
const MOST_DIGITS = 15;
const MODELS: ReadonlyMap<string, string> = new Map([
  ['sequential_', 'Sequential'],
  ['model', 'Model'],
]);

/** @returns undefined for a name that somebody chose */
export function madeUpName(name: string): MadeUpName | undefined {
  if (name.length > LONGEST_NAME) return undefined;
  const digits = /\d+$/.exec(name)?.[0].slice(-MOST_DIGITS) ?? '';
  // A class may end with digits itself.
  for (let count = digits.length; count > 0; count--) {
    const prefix = name.slice(0, -count);
    const number = Number(digits.slice(-count));
    const layerClass = classOf(prefix);
    if (layerClass !== undefined && String(number).length === count && number > 0)
      return { prefix, number, layerClass };
  }
  return undefined;
}

/** The class that a made-up name has before its number. */
function classOf(prefix: string): string | undefined {
  const [, start, layerClass] = /^([^A-Z]*?)_(_*[A-Z]\w*)$/.exec(prefix) ?? [];
  if (layerClass === undefined) return MODELS.get(prefix);
  const snake = snakeCase(layerClass);
  return [snake, `forward_${snake}`, `backward_${snake}`].includes(start) ? layerClass : undefined;
}

/** As TensorFlow.js has it, which for ConvLSTM2D differs from Keras (tfjs-layers, utils/generic_utils). */
function snakeCase(className: string): string {
  const snake = className
    .replace(/(.)([A-Z][a-z0-9]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();
  return snake.startsWith('_') ? `private${snake}` : snake;
}
