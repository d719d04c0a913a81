/** @file Functions of each number, as layers and as parts of layers. The names are those of TensorFlow.js. */
import { activationKinds } from '../kernels.ts';
import type { LayerConfig } from '../layerConfig.ts';
import type { LinearMemory } from '../linearMemory.ts';
import type { Kernels } from '../kernels.ts';
import type { Plan, Tensor } from '../plan.ts';
import { elementCount } from '../../server/protocol/shape.ts';
import { only, type MakeLayer } from './layer.ts';

/** Changes `length` numbers in place; `size` of them make a row. */
export type Activation = (
  runtime: { readonly kernels: Kernels; readonly memory: LinearMemory },
  address: number,
  length: number,
  size: number,
) => void;

const byKernel =
  (kind: number, alpha = 0): Activation =>
  ({ kernels }, address, length) =>
    kernels.activate(kind, alpha, address, length);

/** The rarer ones, in float64. */
const byNumber =
  (f: (x: number) => number): Activation =>
  ({ memory }, address, length) => {
    const numbers = memory.floats(address, length);
    for (let i = 0; i < length; i++) numbers[i] = f(numbers[i]);
  };

const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/** Klambauer et al. 2017, "Self-normalizing neural networks". */
const SELU = { scale: 1.0507009873554805, alpha: 1.6732632423543772 };

/** Abramowitz & Stegun 1964, 7.1.26: the approximation of TensorFlow.js. */
function erf(x: number): number {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const sum = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  return Math.sign(x) * (1 - sum * Math.exp(-x * x));
}

const softmax: Activation = ({ kernels }, address, length, size) => kernels.softmax(address, size, length / size);

const logSoftmax: Activation = ({ memory }, address, length, size) => {
  for (let at = 0; at < length; at += size) {
    const row = memory.floats(address + 4 * at, size);
    const largest = row.reduce((a, b) => Math.max(a, b), -Infinity);
    const sum = Math.log(row.reduce((total, x) => total + Math.exp(x - largest), 0));
    for (let i = 0; i < size; i++) row[i] = row[i] - largest - sum;
  }
};

/** Activations that layers name. */
const activations = {
  linear: () => undefined,
  relu: byKernel(activationKinds.relu),
  relu6: byKernel(activationKinds.relu6),
  sigmoid: byKernel(activationKinds.sigmoid),
  hardSigmoid: byKernel(activationKinds.hardSigmoid),
  tanh: byKernel(activationKinds.tanh),
  swish: byKernel(activationKinds.swish),
  elu: byKernel(activationKinds.elu, 1),
  selu: byNumber((x) => SELU.scale * (x > 0 ? x : SELU.alpha * Math.expm1(x))),
  softplus: byNumber(softplus),
  softsign: byNumber((x) => x / (1 + Math.abs(x))),
  mish: byNumber((x) => x * Math.tanh(softplus(x))),
  gelu: byNumber((x) => (x / 2) * (1 + erf(x / Math.SQRT2))),
  geluNew: byNumber((x) => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))),
  softmax,
  logSoftmax,
} satisfies Readonly<Record<string, Activation>>;

type ActivationName = keyof typeof activations;

const isName = (name: string): name is ActivationName => Object.hasOwn(activations, name);
const NAMES = Object.keys(activations).filter(isName);

/** The activation that a setting of a layer names. */
export function activationOf(
  config: LayerConfig,
  key = 'activation',
  otherwise: ActivationName = 'linear',
): Activation {
  return activations[config.word(key, NAMES, otherwise)];
}

/** Adds an activation of a tensor in place. */
export function activateInPlace(activation: Activation, { address, shape }: Tensor, plan: Plan): void {
  if (activation === activations.linear) return;
  const length = elementCount(shape);
  plan.add(() => activation(plan, address, length, shape.at(-1) ?? 1));
}

/** A layer that is an activation and nothing else. */
const layerOf =
  (activationFor: (config: LayerConfig) => Activation): MakeLayer =>
  (config) => {
    const activation = activationFor(config);
    return {
      isStepwise: true,
      plan(inputs, plan) {
        const input = only(config, inputs);
        const result = plan.tensor(input.shape);
        const bytes = 4 * elementCount(input.shape);
        plan.add(() => plan.kernels.copyBlocks(input.address, 0, bytes, 1, result.address, 0));
        activateInPlace(activation, result, plan);
        return result;
      },
    };
  };

/** Layers that are functions of each number. */
export const activationLayers: Readonly<Record<string, MakeLayer>> = {
  Activation: layerOf((config) => activationOf(config)),
  ReLU: layerOf((config) => {
    const most = config.has('max_value') ? config.number('max_value') : Infinity;
    const slope = config.number('negative_slope', 0);
    const threshold = config.number('threshold', 0);
    if (slope === 0 && threshold === 0 && most === Infinity) return activations.relu;
    return byNumber((x) => (x >= threshold ? Math.min(x, most) : slope * (x - threshold)));
  }),
  LeakyReLU: layerOf((config) =>
    byKernel(activationKinds.leakyRelu, config.number('alpha', config.number('negative_slope', 0.3))),
  ),
  ELU: layerOf((config) => byKernel(activationKinds.elu, config.number('alpha', 1))),
  ThresholdedReLU: layerOf((config) => {
    const theta = config.number('theta', 1);
    return byNumber((x) => (x > theta ? x : 0));
  }),
  Softmax: (config, store) => {
    const layer = layerOf(() => softmax)(config, store);
    return {
      ...layer,
      plan(inputs, plan) {
        const { shape } = only(config, inputs);
        const axis = config.number('axis', -1);
        // The batch is axis 0; TensorFlow.js writes 1 for a vector and has no other last axis by itself.
        if (axis !== -1 && axis !== shape.length)
          throw config.error(`it normalizes along axis ${axis}, and can only along the last`);
        return layer.plan(inputs, plan);
      },
    };
  },
  Rescaling: layerOf((config) => {
    const scale = config.number('scale');
    const offset = config.number('offset', 0);
    return byNumber((x) => x * scale + offset);
  }),
};
