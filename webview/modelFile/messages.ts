/** @file What arrives from the extension for the page of a model's file, checked before it is used. */
import type { ToModelFilePage } from '../../server/protocol/wire/modelFile.ts';
import { checkMessage, has, isNumber, isText, listOf, optional, type ShapesOf } from '../messageShapes.ts';

const isTensor = has({
  name: isText,
  shape: listOf(isNumber),
  dtype: isText,
  elements: isNumber,
  bytes: isNumber,
  form: optional(isText),
  problem: optional(isText),
  matrix: optional(has({ rows: isNumber, columns: isNumber })),
});

const shapes: ShapesOf<ToModelFilePage> = {
  file: {
    file: has({
      name: isText,
      format: isText,
      bytes: isNumber,
      tensors: listOf(isTensor),
      metadata: listOf((entry) => Array.isArray(entry) && entry.length === 2 && entry.every(isText)),
    }),
  },
  statistics: {
    tensor: isNumber,
    statistics: has({
      zeros: isNumber,
      notFinite: isNumber,
      minimum: optional(isNumber),
      maximum: optional(isNumber),
      mean: optional(isNumber),
      deviation: optional(isNumber),
    }),
  },
  histogram: {
    tensor: isNumber,
    histogram: has({
      minimum: isNumber,
      maximum: isNumber,
      zeros: isNumber,
      counts: (value) => value instanceof Float64Array,
    }),
  },
  tensorProblem: { tensor: isNumber, message: isText, remedy: optional(isText) },
  problem: { message: isText, remedy: optional(isText) },
  spectrum: { tensor: isNumber, singularValues: (value) => value instanceof Float64Array },
  spectrumProblem: { tensor: isNumber, message: isText },
};

/** {@link checkMessage} for a message to this page. */
export function parseModelFileMessage(data: unknown): ToModelFilePage | undefined {
  return checkMessage<ToModelFilePage>(data, shapes);
}
