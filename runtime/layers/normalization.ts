/** @file Batch and layer normalization, over the last axis. */
import { elementCount } from '../../server/protocol/shape.ts';
import type { LayerConfig } from '../layerConfig.ts';
import type { Tensor } from '../plan.ts';
import { only, type LayerStore, type MakeLayer } from './layer.ts';

/** Mean and variance are those of training, so that all is one product and one sum for each channel (Ioffe & Szegedy 2015). */
const batchNormalization: MakeLayer = (config, store) => {
  const channels = elementCount(store.shape('moving_mean'));
  const mean = store.values('moving_mean', channels);
  const variance = store.values('moving_variance', channels);
  const { gamma, beta } = scaleAndCenter(config, store, channels);
  const epsilon = config.number('epsilon', 1e-3);
  const factors = gamma.map((factor, i) => factor / Math.sqrt(variance[i] + epsilon));
  const scale = store.weights.memory.store(factors);
  const shift = store.weights.memory.store(beta.map((offset, i) => offset - mean[i] * factors[i]));
  return {
    isStepwise: true,
    plan(inputs, plan) {
      const input = only(config, inputs);
      const rows = rowsOf(config, input, channels);
      const result = plan.tensor(input.shape);
      plan.add(() => plan.kernels.scaleChannels(input.address, scale, shift, channels, rows, result.address));
      return result;
    },
  };
};

/** Ba, Kiros & Hinton 2016. */
const layerNormalization: MakeLayer = (config, store) => {
  const has = ['scale', 'center'].filter((key) => config.flag(key, true));
  const named = has.includes('scale') ? 'gamma' : 'beta';
  const known = has.length > 0 ? elementCount(store.shape(named)) : undefined;
  const weights = known === undefined ? undefined : scaleAndCenter(config, store, known);
  const scale = weights && store.weights.memory.store(weights.gamma);
  const shift = weights && store.weights.memory.store(weights.beta);
  const epsilon = config.number('epsilon', 1e-3);
  return {
    isStepwise: true,
    plan(inputs, plan) {
      const input = only(config, inputs);
      const size = known ?? input.shape.at(-1) ?? 1;
      const rows = rowsOf(config, input, size);
      const result = plan.tensor(input.shape);
      plan.add(() => {
        plan.kernels.normalizeRows(input.address, epsilon, size, rows, result.address);
        if (scale !== undefined && shift !== undefined)
          plan.kernels.scaleChannels(result.address, scale, shift, size, rows, result.address);
      });
      return result;
    },
  };
};

function scaleAndCenter(config: LayerConfig, store: LayerStore, length: number) {
  return {
    gamma: config.flag('scale', true) ? store.values('gamma', length) : new Float32Array(length).fill(1),
    beta: config.flag('center', true) ? store.values('beta', length) : new Float32Array(length),
  };
}

/** @returns how many rows of `size` numbers the input has; @throws FormatError where they are not along the last axis */
function rowsOf(config: LayerConfig, { shape }: Tensor, size: number): number {
  const setting = config.value('axis') ?? -1;
  const [axis, another] = Array.isArray(setting) ? setting : [setting];
  // The batch is axis 0.
  if (another !== undefined || (axis !== -1 && axis !== shape.length))
    throw config.error(`it normalizes along the axes ${String(setting)}, and can only along the last`);
  if (shape.at(-1) !== size) throw config.error(`its input has the shape [${shape}], its weights ${size} numbers`);
  return elementCount(shape.slice(0, -1));
}

export const normalizationLayers: Readonly<Record<string, MakeLayer>> = {
  BatchNormalization: batchNormalization,
  LayerNormalization: layerNormalization,
};
