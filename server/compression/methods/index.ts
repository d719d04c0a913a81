/**
 * @file The compression methods, one row each: what is compressed together, the setting at a step, the distortion, and the
 * size of the result. A method of the experiment file has no meaning before it has its row here.
 */
import type { Compression, LowRankParameters, Method } from '../../protocol/experiment/schema.ts';
import type { CompressionSetting } from '../../protocol/run/events.ts';
import { SettingError } from '../../protocol/experiment/settingError.ts';
import { UserError } from '../../protocol/userError.ts';
import { distortByUser, type CustomDistortion, type CustomWeight } from './custom/custom.ts';
import { storedMatrix, truncateRank, truncateShared, type FactoredWeight } from './lowRank/lowRank.ts';
import { storedShape } from '../targets/matrixView.ts';
import { prune } from './prune/prune.ts';
import { quantize, type QuantizedWeight } from './quantize/quantize.ts';
import { pruningRateAt } from './prune/rate.ts';
import { NO_PARTNER_REMEDY, projectionUnits, withoutPartner } from './lowRank/sharedProjection.ts';
import { binaryCodeSize, denseSize, factoredSizes, sparseSize, type CompressedSize } from '../size.ts';
import type { Target } from '../targets/targets.ts';

export type CompressionOf<M extends Method> = Extract<Compression, { method: M }>;
export type ParametersOf<M extends Method> = CompressionOf<M>['layers'][string];
export type ScheduleOf<M extends Method> = CompressionOf<M>['schedule'];

/** Weights that are compressed together: one, or a recurrent kernel and the kernels that share its projection. */
export type Unit<M extends Method> = readonly Target<ParametersOf<M>>[];

/** A weight whose zeros are the compression. */
export interface SparseWeight {
  readonly form: 'sparse';
}

/** The compressed form of a weight, which no file holds yet; the weight itself holds the same numbers as floats. */
export type CompressedWeight = SparseWeight | QuantizedWeight | FactoredWeight | CustomWeight;

export interface DistortionContext<M extends Method> {
  readonly compression: CompressionOf<M>;
  readonly step: number;
  readonly steps: number;
  readonly seed: number;
  readonly custom: CustomDistortion | undefined;
  /** What the last distortion left for a truncation to start from; undefined where it shall start anew. */
  readonly basis: Float32Array | undefined;
}

interface MethodRow<M extends Method> {
  /** Groups the weights that are compressed together. @throws SettingError for parameters that do not fit the weights */
  units(targets: Unit<M>): Unit<M>[];
  /** How a weight is compressed at a step. */
  settingAt(parameters: ParametersOf<M>, schedule: ScheduleOf<M>, step: number): CompressionSetting;
  /** Replaces the weights of a unit by their compressed form, in place. @returns the form of each */
  distort(
    unit: Unit<M>,
    setting: CompressionSetting,
    context: DistortionContext<M>,
  ): readonly CompressedWeight[] | Promise<readonly CompressedWeight[]>;
  /** Size of each weight of a unit. @param compressed what `distort` returned last */
  sizes(unit: Unit<M>, compressed: readonly (CompressedWeight | undefined)[]): readonly CompressedSize[];
}

const SPARSE: readonly SparseWeight[] = [{ form: 'sparse' }];

export const methods: { readonly [M in Method]: MethodRow<M> } = {
  prune: {
    units: eachAlone,
    settingAt: ({ rate }, schedule, step) => ({ rate: pruningRateAt(schedule, rate, step) }),
    distort([{ weight }], { rate = 0 }) {
      prune(weight.values, rate);
      return SPARSE;
    },
    sizes: ([{ weight }]) => [sparseSize(weight.values)],
  },

  quantize: {
    units: eachAlone,
    settingAt: ({ bits }) => ({ bits }),
    distort: ([{ weight, view, parameters }]) => [quantize(weight.values, view, parameters)],
    sizes: ([{ view, parameters }]) => [binaryCodeSize(view, parameters.bits, parameters.scales)],
  },

  'low-rank': {
    units: lowRankUnits,
    settingAt: ({ rank }) => ({ rank }),
    async distort(unit, _setting, { basis }) {
      const [{ weight, view, parameters }] = unit;
      try {
        if (unit.length === 1) return [await truncateRank(weight.values, view, parameters.rank, basis)];
        const [recurrent, ...kernels] = unit.map(matrixOf);
        return await truncateShared(recurrent, kernels, parameters.rank, basis);
      } catch (error) {
        throw error instanceof RangeError ? diverged(weight.name, error) : error;
      }
    },
    sizes: (unit) =>
      factoredSizes(
        unit.map(({ view }) => view),
        unit[0].parameters.rank,
      ),
  },

  custom: {
    units: eachAlone,
    settingAt: () => ({}),
    async distort([{ weight, parameters }], _setting, { compression, step, steps, seed, custom }) {
      if (!custom) throw new TypeError('A custom compression needs the distort function of its module.');
      const context = { name: weight.name, step, steps, seed, parameters };
      return [await distortByUser(custom, compression.module, weight, context)];
    },
    sizes: ([{ weight }], [compressed]) => [
      compressed?.form === 'custom' ? compressed.size : denseSize(weight.values.length),
    ],
  },
};

function eachAlone<T>(targets: readonly T[]): (readonly T[])[] {
  return targets.map((target) => [target]);
}

type LowRankTarget = Target<LowRankParameters>;

function matrixOf({ weight, view }: LowRankTarget) {
  return storedMatrix(weight.values, view);
}

function lowRankUnits(targets: readonly LowRankTarget[]): LowRankTarget[][] {
  const units = projectionUnits(targets);
  for (const [target] of units) checkRank(target);
  const [alone] = withoutPartner(units);
  if (!alone) return units;
  throw new SettingError(
    ['compression', 'layers', alone.pattern, 'sharedProjection'],
    `${alone.weight.name} has no partner with the same rank to share a projection with`,
    { remedy: NO_PARTNER_REMEDY },
  );
}

/** Rank and shape were checked before the run: what is left to be out of range is a weight. */
function diverged(name: string, cause: RangeError): UserError {
  return new UserError(`${name} has no singular values: training has diverged. ${cause.message}`, {
    remedy: 'Lower training.optimizer.learningRate, or clip the gradients (training.clip).',
    cause,
  });
}

function checkRank({ weight, view, pattern, parameters }: LowRankTarget): void {
  const { rows, columns } = storedShape(view);
  const limit = Math.min(rows, columns);
  if (parameters.rank <= limit) return;
  throw new SettingError(
    ['compression', 'layers', pattern, 'rank'],
    `${weight.name} is a [${rows}, ${columns}] matrix: expected at most ${limit}, got ${parameters.rank}`,
    { remedy: 'Lower the rank.' },
  );
}
