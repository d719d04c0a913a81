/** @file Memory that the system did not give for a step, told with the number of bytes, whoever asked for it. */
import { memoryOfMachine } from '../memory/machineMemory.ts';
import { formatBytes } from '../protocol/formatQuantity.ts';
import { messageOf } from '../protocol/thrown.ts';
import { UserError } from '../protocol/userError.ts';
import { layerNamedIn } from './lower/rejection.ts';

/** What ONNX Runtime says; and C++, which tells no number. */
const BUFFER = /allocate memory for requested buffer of size (\d+)/;
const NO_BUFFER = /bad_alloc|bad allocation/;
/** What V8 says of numbers, and of bytes, without their number. */
const ARRAY = /^Invalid typed array length: (\d+)$/;
const NO_ARRAY = /^Array buffer allocation failed$/;
/** No machine lacks the memory for fewer numbers: a wrong length is a fault of another kind. */
const LEAST_NUMBERS = 2 ** 28;

/** What an error in the code of a layer begins with, as `explainingLayers` tells it. */
const LAYER = /^The layer '(.*?)'/;

/**
 * An error that says that there was not enough memory, for the user; undefined for any other error.
 * @param what the memory was for: 'a training step of 50 samples'
 */
export function outOfMemory(error: unknown, what: string): UserError | undefined {
  const refusal = error instanceof UserError ? error.cause : error;
  const bytes = missingBytes(refusal);
  if (bytes === undefined) return undefined;
  const asked = bytes > 0 ? ` ${formatBytes(bytes)} were asked for at once` : ' more was asked for than there is';
  const layer = layerNamedIn(messageOf(refusal)) ?? LAYER.exec(messageOf(error))?.[1];
  const where = layer === undefined ? '' : ` in the layer '${layer}'`;
  const machine = `this machine has ${formatBytes(memoryOfMachine())} in all`;
  return new UserError(`There is not enough memory for ${what}:${asked}${where}; ${machine}.`, {
    remedy:
      'Lower training.batchSize: with training.accumulate, several batches make one step. Shorter sequences and smaller images take ' +
      'less, too. Or end other programs, or use a machine with more memory.',
    cause: error,
  });
}

/** 0 where it is not known; undefined where memory was not what was missing. */
function missingBytes(error: unknown): number | undefined {
  const message = messageOf(error);
  const buffer = BUFFER.exec(message);
  if (buffer !== null) return Number(buffer[1]);
  if (NO_BUFFER.test(message)) return 0;
  if (!(error instanceof RangeError)) return undefined;
  const numbers = Number(ARRAY.exec(message)?.[1] ?? 0);
  if (numbers >= LEAST_NUMBERS) return numbers * Float32Array.BYTES_PER_ELEMENT;
  return NO_ARRAY.test(message) ? 0 : undefined;
}
