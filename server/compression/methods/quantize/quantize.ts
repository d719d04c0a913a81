/** @file Weight distortion by binary-code quantization (DeepTwist, algorithm 2): to codes and back to floats, in place. */
import { BinaryCodes, type BinaryParameters } from './binaryCodes.ts';
import { gatherRows, scatterRows, type MatrixView } from '../../targets/matrixView.ts';
import type { QuantizedWeight } from '../unit.ts';

/** Rows that are gathered at once, so that a cache line of a matrix that is stored by columns is read once. */
const ROWS = 16;

/** Replaces `values` by their quantized form, which it returns. */
export function quantize(values: Float32Array, view: MatrixView, parameters: BinaryParameters): QuantizedWeight {
  return parameters.scales === 'row' ? quantizeRows(values, view, parameters) : quantizeMatrix(values, parameters);
}

function quantizeRows(values: Float32Array, view: MatrixView, parameters: BinaryParameters): QuantizedWeight {
  const { bits } = parameters;
  const { rows, columns } = view;
  const fit = new BinaryCodes(columns, parameters);
  const block = new Float32Array(Math.min(ROWS, rows) * columns);
  const scales = new Float32Array(rows * bits);
  const codes = new Uint8Array(values.length);
  for (let first = 0; first < rows; first += ROWS) {
    const count = Math.min(ROWS, rows - first);
    gatherRows(values, view, first, count, block);
    for (let row = 0; row < count; row++) {
      const weights = block.subarray(row * columns, (row + 1) * columns);
      fit.fit(weights);
      decode(fit, weights);
      codes.set(fit.codes, (first + row) * columns);
      scales.set(fit.scales, (first + row) * bits);
    }
    scatterRows(block, view, first, count, values);
  }
  return { form: 'binary-codes', bits, scales, codes };
}

function quantizeMatrix(values: Float32Array, parameters: BinaryParameters): QuantizedWeight {
  const fit = new BinaryCodes(values.length, parameters);
  fit.fit(values);
  decode(fit, values);
  const levels = Array.from(Float32Array.from(fit.levels)).sort((a, b) => a - b);
  return { form: 'binary-codes', bits: parameters.bits, scales: fit.scales, codes: fit.codes, levels };
}

function decode(fit: BinaryCodes, weights: Float32Array): void {
  const { codes, levels } = fit;
  for (let i = 0; i < weights.length; i++) weights[i] = levels[codes[i]];
}
