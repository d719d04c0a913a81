/** @file Records a standard recurrent layer as one operation instead of the operations of each time step. */
import type * as tf from '@tensorflow/tfjs';
import { cast, constant, make, slice, transpose } from '../build.ts';
import type { CellActivation, Node, OpParams } from '../ir.ts';
import type { Predictor } from '../program.ts';
import type { Recording } from './recordingBackend.ts';
import { nestedLayers, type StatefulLayer } from './statefulLayers.ts';

type Activation = { getClassName(): string };

/** The parts of tfjs-layers' LSTM, GRU and SimpleRNN that say what they compute. */
interface RecurrentLayer extends Pick<StatefulLayer, 'stateful' | 'states_' | 'resetStates'> {
  name: string;
  goBackwards: boolean;
  returnSequences: boolean;
  returnState: boolean;
  cell: Record<'kernel' | 'recurrentKernel', tf.LayerVariable> & {
    bias?: tf.LayerVariable | null;
    activation: Activation;
    recurrentActivation?: Activation;
  };
}

/** What tfjs-layers hands to `call` beside the inputs. */
interface CallArguments {
  mask?: unknown;
  training?: boolean;
  initialState?: tf.Tensor[];
  constants?: unknown;
}

const CELLS: Readonly<Partial<Record<string, OpParams['Recurrent']['cell']>>> = {
  LSTM: 'LSTM',
  GRU: 'GRU',
  SimpleRNN: 'RNN',
};

const ACTIVATIONS: Readonly<Record<string, CellActivation>> = {
  tanh: 'Tanh',
  sigmoid: 'Sigmoid',
  hardSigmoid: 'HardSigmoid', // 0.2 x + 0.5 in both.
  relu: 'Relu',
  softsign: 'Softsign',
  softplus: 'Softplus',
};

/**
 * Until the returned function is called, standard recurrent layers are recorded as one operation: LSTM, GRU and SimpleRNN with
 * activations that ONNX has, called without a mask and not in training mode. All others are recorded step by step.
 * @param keepsWhole false for layers to record step by step all the same, by the name of their recurrent kernel
 */
export function keepRecurrentLayers(
  { layers }: Pick<Predictor, 'layers'>,
  recording: Recording,
  keepsWhole: (recurrentKernel: string) => boolean,
): () => void {
  const undo = nestedLayers(layers).map((layer) => keepWhole(layer, recording, keepsWhole));
  return () => undo.forEach((one) => one());
}

function keepWhole(
  layer: tf.layers.Layer,
  recording: Recording,
  keepsWhole: (recurrentKernel: string) => boolean,
): () => void {
  const cell = CELLS[layer.getClassName()];
  const recurrent = layer as unknown as RecurrentLayer;
  const activations = cell && activationsOf(recurrent);
  if (cell === undefined || activations === undefined) return () => undefined;
  const own = Object.getOwnPropertyDescriptor(layer, 'call');
  const call = layer.call.bind(layer);
  layer.call = (inputs, given: CallArguments | undefined) => {
    const kernel = recording.node(recurrent.cell.recurrentKernel.read());
    const isWhole = kernel.op === 'Parameter' && keepsWhole(kernel.params.name);
    if (!isWhole || given?.mask || given?.training || given?.constants) return call(inputs, given ?? {});
    return callWhole(recurrent, { cell, activations }, [inputs].flat()[0], given?.initialState, recording);
  };
  return () => {
    if (own === undefined) Reflect.deleteProperty(layer, 'call');
    else Object.defineProperty(layer, 'call', own);
  };
}

/** @returns undefined where ONNX has not the layer's activations */
function activationsOf({ cell }: RecurrentLayer): CellActivation[] | undefined {
  const used = [cell.recurrentActivation, cell.activation].filter((activation) => activation !== undefined);
  const known = used.flatMap((activation) => ACTIVATIONS[activation.getClassName()] ?? []);
  return known.length === used.length ? known : undefined;
}

/** What the layer's `call` returns and does, with {@link OpParams.Recurrent} in the place of its loop over time. */
function callWhole(
  layer: RecurrentLayer,
  kind: Pick<OpParams['Recurrent'], 'cell' | 'activations'>,
  x: tf.Tensor,
  initialState: tf.Tensor[] | undefined,
  recording: Recording,
): tf.Tensor | tf.Tensor[] {
  const { cell, stateful, goBackwards, returnSequences, returnState } = layer;
  const kernel = recording.node(cell.kernel.read());
  const sequence = transpose(cast(recording.node(x), 'float32'), [1, 0, 2]);
  const inputs = [
    goBackwards ? reversed(sequence) : sequence,
    kernel,
    recording.node(cell.recurrentKernel.read()),
    cell.bias ? recording.node(cell.bias.read()) : constant([0], [kernel.type.shape[1]]),
    ...(initialState ?? (stateful ? layer.states_ : [])).map((state) => recording.node(state)),
  ];
  const result = (name: OpParams['Recurrent']['result']) =>
    make('Recurrent', { ...kind, result: name }, inputs, recording.layer ?? layer.name);
  const last = result('hidden');
  const states = (kind.cell === 'LSTM' ? [last, result('cell')] : [last]).map((state) => recording.tensor(state));
  if (stateful) layer.resetStates(states);
  const output = recording.tensor(returnSequences ? transpose(result('sequence'), [1, 0, 2]) : last);
  return returnState ? [output, ...states] : output;
}

/** [time, batch, features] with the last time step first. */
function reversed(sequence: Node): Node {
  const { shape } = sequence.type;
  return slice(sequence, [shape[0] - 1, 0, 0], shape, [-1, 1, 1]);
}
