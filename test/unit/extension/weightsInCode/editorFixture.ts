/** @file What a run recorded of a small model, and VS Code's translation without a language. */
import type { CompressionSetting, EventOf } from '../../../../server/protocol/run/events.ts';
import type { MeasuredWeight } from '../../../../extension/weightsInCode/measures.ts';
import type { Translation } from '../../../../extension/translation.ts';

export const l10n: Translation = {
  t: (message, ...values) => message.replace(/\{(\d+)\}/g, (_, index: string) => String(values[Number(index)])),
};

const SHAPE = [10, 20];

export interface Recorded {
  readonly step: number;
  readonly setting: CompressionSetting;
  /** How many of the 200 weights of each matrix are zero. */
  readonly zeros?: number;
  readonly error?: number;
}

export function distortionEvent(
  names: readonly string[],
  { step, setting, zeros = 0, error = 0.1 }: Recorded,
): EventOf<'distortion'> {
  return {
    type: 'distortion',
    step,
    time: step,
    weights: names.map((name) => ({
      name,
      setting,
      relativeError: error,
      histogram: {
        minimum: -1,
        maximum: 1,
        before: [20, 80, 80, 20],
        after: [20, 80 - zeros / 2, 80 + zeros / 2, 20],
        zerosBefore: 0,
        zerosAfter: zeros,
        nearZerosBefore: 7,
        nearZerosAfter: 0,
      },
    })),
  };
}

/** A weight as after the distortions of its run. */
export function measuredWeight(
  name: string,
  recorded: readonly Recorded[] = [],
  changes: Partial<MeasuredWeight> = {},
): MeasuredWeight {
  const [last, earlier] = recorded.toReversed().map((distortion) => distortionEvent([name], distortion).weights[0]);
  return {
    name,
    layer: layerOf(name),
    shape: SHAPE,
    compressed: true,
    isInFile: false,
    steps: { all: 1000, ...(recorded.length > 0 && { done: recorded.at(-1)!.step }) },
    ...(last && { last }),
    ...(earlier && { earlier }),
    ...changes,
  };
}

function layerOf(name: string): string {
  return name.slice(0, name.lastIndexOf('/'));
}
