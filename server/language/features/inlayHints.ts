/** @file What values mean for this model, at the end of each: weights that stay, how much smaller, how many distortions. */
import type { InlayHint, Range } from 'vscode-languageserver/node';
import { distortionCount } from '../../compression/when.ts';
import { formatBytes, formatCount, formatRatio } from '../../protocol/formatQuantity.ts';
import type { ModelDescription } from '../../protocol/model/modelDescription.ts';
import type { SettingPath } from '../../protocol/experiment/settingPath.ts';
import type { ModelSize } from '../../compression/size.ts';
import { WOULD_TAKE } from '../../protocol/run/wouldTake.ts';
import { compressedModel, type CompressedModel } from '../compressedModel.ts';
import type { ExperimentDocument, Surroundings } from '../experimentDocument.ts';
import { distortsRegularly, readCompression, type ReadCompression } from '../readCompression.ts';
import { recordAt } from '../writtenSettings.ts';
import { scheduleTimes, trainingTimes } from '../trainingTimes.ts';

interface Hint {
  readonly path: SettingPath;
  /** Of an object, which may be long: behind its opening brace. */
  readonly at: 'start' | 'end';
  readonly label: string;
  readonly tooltip?: string;
}

/** Those in a range of lines; none where the model is not known. */
export function inlayHints(document: ExperimentDocument, range: Range, { model }: Surroundings): InlayHint[] {
  if (!model) return [];
  const compression = readCompression(document);
  const compressed = compressedModel(document, model);
  const hints = [
    ...timeHints(document, model),
    ...(compression && compressed
      ? [...totalHints(compression, compressed), ...layerHints(compression, compressed)]
      : []),
  ];
  return hints.flatMap(({ path, at, label, tooltip }): InlayHint[] => {
    const value = document.json.rangeOfValue(path);
    if (!value) return [];
    const position = document.text.positionAt(at === 'start' ? value.start + 1 : value.end);
    if (position.line < range.start.line || position.line > range.end.line) return [];
    return [{ position, label, paddingLeft: true, ...(tooltip !== undefined && { tooltip }) }];
  });
}

/** An editor cuts hints after about 43 characters of a line. */
function totalHints({ method, layers }: ReadCompression, compressed: CompressedModel): Hint[] {
  if (method === 'custom' || layers.size === 0) return [];
  const size = compressed.total();
  if (size.weightsKept === 0) return [];
  const bytes = `${method === 'prune' ? '~' : ''}${formatBytes(size.bytesKept)}, ${formatRatio(size.byteRatio)}`;
  const weights =
    size.weightsKept === size.weights
      ? ''
      : `${formatCount(size.weightsKept)} weights, ${formatRatio(size.weightRatio)}; `;
  const tooltip =
    `Predicted for the final model: ${formatCount(size.weightsKept)} of ${formatCount(size.weights)} weights, biases left out, and ` +
    `a file of it ${WOULD_TAKE} ${formatBytes(size.bytesKept)} in place of ${formatBytes(size.bytes)}, with everything that it needs` +
    (method === 'prune' ? '; the index of the weights that are left is that of random places.' : '.');
  return [{ path: ['compression'], at: 'start', label: weights + bytes, tooltip }];
}

function layerHints({ layers }: ReadCompression, compressed: CompressedModel): Hint[] {
  return Array.from(layers).flatMap(([key, setting]): Hint[] => {
    const weights = compressed.weightsOf(key);
    if (!setting || weights.length === 0) return [];
    const path = ['compression', 'layers', key];
    const size = compressed.total(weights);
    switch (setting.method) {
      case 'prune':
        return [{ path: [...path, 'rate'], at: 'end', label: keptText(size) }];
      case 'quantize':
        return [{ path: [...path, 'bits'], at: 'end', label: bytesText(size) }];
      case 'low-rank':
        return [{ path: [...path, 'rank'], at: 'end', label: smallerText(size) }];
      case 'custom':
        return [];
    }
  });
}

function keptText({ weights, weightsKept }: ModelSize): string {
  return `${formatCount(weightsKept)} of ${formatCount(weights)} kept`;
}

function bytesText({ bytes, bytesKept, byteRatio }: ModelSize): string {
  return `${formatBytes(bytes)}, ${WOULD_TAKE} ${formatBytes(bytesKept)}, ${formatRatio(byteRatio)}`;
}

/** A rank that makes a matrix no smaller leaves it as it is. */
function smallerText({ weights, weightsKept, weightRatio }: ModelSize): string {
  return weightsKept === weights ? 'no smaller' : `${formatRatio(weightRatio)} smaller`;
}

/** Steps in epochs and epochs in steps, where the length of an epoch is known; how many distortions there are. */
function timeHints(document: ExperimentDocument, model: ModelDescription): Hint[] {
  const { stepsPerEpoch, steps, epochs } = trainingTimes(document, model);
  const times = scheduleTimes(document, model);
  const compression = readCompression(document);
  const training = recordAt(document, ['training']);
  const hints: Hint[] = [];
  if (stepsPerEpoch !== undefined && steps !== undefined && epochs !== undefined) {
    const given = 'steps' in training ? 'steps' : 'epochs';
    const label = given === 'steps' ? epochText(epochs) : `${formatCount(steps)} steps`;
    hints.push({ path: ['training', given], at: 'end', label });
  }
  if (compression && times && stepsPerEpoch !== undefined)
    for (const [key, time] of [
      ['from', times.from],
      ['to', times.to],
    ] as const) {
      if (time === undefined || time === 0) continue;
      const label =
        compression.schedule?.unit === 'epochs' ? `${formatCount(time)} steps` : epochText(time / stepsPerEpoch);
      hints.push({ path: ['compression', 'schedule', key], at: 'end', label });
    }
  if (times?.distortEvery !== undefined && times.end !== undefined && compression && distortsRegularly(compression)) {
    const count = distortionCount({ distortEvery: times.distortEvery, from: times.from, steps: times.end });
    const label = count === 1 ? '1 distortion' : `${formatCount(count)} distortions`;
    hints.push({ path: ['compression', 'distortEvery'], at: 'end', label });
  }
  return hints;
}

function epochText(epochs: number): string {
  const rounded = Number(epochs.toFixed(epochs < 10 ? 2 : 1));
  return rounded === 1 ? '1 epoch' : `${rounded} epochs`;
}
