/**
 * @file The GRU that Keras has by default, and PyTorch: its reset gate is applied behind the product with the state, `reset_after`
 * (https://keras.io/api/layers/recurrent_layers/gru/). TensorFlow.js has that of Cho et al. 2014 alone, which applies it before.
 */
import * as tf from '@tensorflow/tfjs';
import { registerLayer } from './registerLayer.ts';

type GRU = ReturnType<typeof tf.layers.gru>;
type GRUSettings = Parameters<typeof tf.layers.gru>[0];

interface Activation {
  apply(x: tf.Tensor): tf.Tensor;
}

/** The parts of a cell of TensorFlow.js that make its step. */
interface Cell {
  readonly units: number;
  readonly activation: Activation;
  readonly recurrentActivation: Activation;
  readonly kernel: tf.LayerVariable;
  readonly recurrentKernel: tf.LayerVariable;
  readonly biasInitializer: unknown;
  readonly biasRegularizer: unknown;
  readonly biasConstraint: unknown;
  useBias: boolean;
  bias: tf.LayerVariable | null;
  build(inputShape: tf.Shape | tf.Shape[]): void;
  addWeight(name: string, shape: tf.Shape, dtype: null, ...facts: unknown[]): tf.LayerVariable;
  call(inputs: tf.Tensor[]): tf.Tensor[];
}

const GATES = 3;

/** The class itself, which TensorFlow.js does not export. */
const GRULayer = tf.layers.gru({ units: 1 }).constructor as new (settings: GRUSettings) => GRU;

export class ResetAfterGRU extends GRULayer {
  static readonly className = 'ResetAfterGRU';

  constructor(settings: GRUSettings) {
    super({ ...settings, resetAfter: false } as GRUSettings);
    applyResetAfter(this.cell as unknown as Cell);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), resetAfter: true };
  }
}

/** The gates are z, r, h, as in TensorFlow.js; the bias has a row for the input and one for the state. */
function applyResetAfter(cell: Cell): void {
  const buildKernels = cell.build.bind(cell);
  cell.build = (inputShape) => {
    const { useBias, units, biasInitializer, biasRegularizer, biasConstraint } = cell;
    cell.useBias = false;
    buildKernels(inputShape);
    cell.useBias = useBias;
    if (useBias)
      cell.bias = cell.addWeight(
        'bias',
        [2, GATES * units],
        null,
        biasInitializer,
        biasRegularizer,
        true,
        biasConstraint,
      );
  };
  cell.call = ([x, state]) =>
    tf.tidy(() => {
      const biases = cell.bias ? tf.split(cell.bias.read(), 2) : undefined;
      const gatesOf = (value: tf.Tensor, kernel: tf.LayerVariable, row: number) => {
        const product = tf.matMul(value as tf.Tensor2D, kernel.read() as tf.Tensor2D);
        return tf.split(biases ? tf.add(product, biases[row]) : product, GATES, 1);
      };
      const [xz, xr, xh] = gatesOf(x, cell.kernel, 0);
      const [hz, hr, hh] = gatesOf(state, cell.recurrentKernel, 1);
      const z = cell.recurrentActivation.apply(tf.add(xz, hz));
      const r = cell.recurrentActivation.apply(tf.add(xr, hr));
      const candidate = cell.activation.apply(tf.add(xh, tf.mul(r, hh)));
      const next = tf.add(tf.mul(z, state), tf.mul(tf.sub(1, z), candidate));
      return [next, next];
    });
}

registerLayer(ResetAfterGRU);
