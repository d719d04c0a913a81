/** @file Recurrent layers as the operators LSTM, GRU and RNN of ONNX. */
import type { NodeOf } from '../ir.ts';
import type { Emitter, OnnxName } from './emitter.ts';

/**
 * Places in Keras's kernels of the gates that ONNX has first, second, …: Keras has i, f, c, o for an LSTM, ONNX i, o, f, c; for a GRU
 * both have z, r, h.
 */
const GATES = { LSTM: [0, 3, 1, 2], GRU: [0, 1, 2], RNN: [0] } as const;

/** The operators that this is lowered to beside the one itself depend on weights alone, but for those that drop an axis of size 1. */
export function lowerRecurrent(
  { params, inputs: [, , recurrentKernel] }: NodeOf<'Recurrent'>,
  [x, kernel, recurrent, bias, hidden, cell]: readonly OnnxName[],
  emitter: Emitter,
): OnnxName {
  const [units] = recurrentKernel.type.shape;
  const gates = GATES[params.cell];
  /** [rows, gates * units] -> [1, gates * units, rows] with the gates in ONNX's order. */
  const weights = (matrix: OnnxName) => {
    const byGate = emitter.reshape(matrix, [-1, gates.length, units]);
    const ordered = gates.every((gate, i) => gate === i)
      ? byGate
      : emitter.emit('Gather', [byGate, emitter.integers(gates)], { axis: { int: 1 } });
    return emitter.reshape(emitter.transpose(ordered, [1, 2, 0]), [1, gates.length * units, -1]);
  };
  // ONNX has a second bias, for the product with the state.
  const biases = emitter.emit('Pad', [
    emitter.reshape(weights(bias), [-1]),
    emitter.integers([0, gates.length * units]),
  ]);
  const direction = (state: OnnxName | undefined) =>
    state === undefined ? '' : emitter.emit('Unsqueeze', [state, emitter.integers([0])]);
  const states = [direction(hidden), ...(params.cell === 'LSTM' ? [direction(cell)] : [])];
  const operands = [x, weights(kernel), weights(recurrent), emitter.emit('Unsqueeze', [biases, emitter.integers([0])])];
  const [sequence, last, lastCell] = emitter.emitMany(
    params.cell,
    hidden === undefined ? operands : [...operands, '', ...states],
    params.cell === 'LSTM' ? 3 : 2,
    { hidden_size: { int: units }, activations: { strings: activationsOf(params) } },
  );
  const withoutDirection = (result: OnnxName, axis: number) =>
    emitter.emit('Squeeze', [result, emitter.integers([axis])]);
  if (params.result === 'sequence') return withoutDirection(sequence, 1);
  return withoutDirection(params.result === 'hidden' ? last : lastCell, 0);
}

/** An LSTM names the activation of its cell twice: of what is added to the cell, and of the cell itself. */
function activationsOf({ cell, activations }: NodeOf<'Recurrent'>['params']): readonly string[] {
  return cell === 'LSTM' ? [...activations, activations[1]] : activations;
}
