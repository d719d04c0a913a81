/** @file What values mean for this model, shown at the end of each: weights kept, how much smaller, how many distortions. */
import type { InlayHint, Range } from 'vscode-languageserver/node';
import { methodFacts } from '../../protocol/experiment/methods/index.ts';
import { thresholdOf } from '../../protocol/experiment/proximalSteps.ts';
import { formatBytes, formatCount, formatRatio } from '../../protocol/formatQuantity.ts';
import type { ModelDescription } from '../../protocol/model/modelDescription.ts';
import { distortionCount } from '../../protocol/experiment/distortionSteps.ts';
import type { SettingPath } from '../../protocol/experiment/settingPath.ts';
import { timeIn, timesIn, type Time } from '../../protocol/experiment/times.ts';
import { WOULD_TAKE } from '../../protocol/run/wouldTake.ts';
import { compressedModel, type CompressedModel } from '../compressedModel.ts';
import type { ExperimentDocument, Surroundings } from '../experimentDocument.ts';
import { distortsRegularly, readCompressions, type ReadCompression } from '../readCompression.ts';
import { knownTimes } from '../trainingTimes.ts';
import { numberAt, textAt } from '../writtenSettings.ts';

interface Hint {
  readonly path: SettingPath;
  /** `start`: behind the opening brace of an object, which may be long. */
  readonly at: 'start' | 'end';
  readonly label: string;
  readonly tooltip?: string;
}

/** The hints in a range of lines; none where the model is not known. */
export function inlayHints(document: ExperimentDocument, range: Range, { model }: Surroundings): InlayHint[] {
  if (!model) return [];
  const compressions = readCompressions(document);
  const compressed = compressedModel(document, model);
  const hints = [
    ...timeHints(document, compressions, model),
    ...compressions.flatMap((read) => thresholdHints(document, read)),
    ...(compressed
      ? [...totalHints(compressions, compressed), ...compressions.flatMap((read) => layerHints(read, compressed))]
      : []),
  ];
  return hints.flatMap(({ path, at, label, tooltip }): InlayHint[] => {
    const value = document.json.rangeOfValue(path);
    if (!value) return [];
    const position = document.text.positionAt(at === 'start' ? value.start + 1 : value.end);
    if (position.line < range.start.line || position.line > range.end.line) return [];
    // Without a sign between them, a number and its hint would read as one number.
    const shown = at === 'end' ? `→ ${label}` : label;
    return [{ position, label: shown, paddingLeft: true, ...(tooltip !== undefined && { tooltip }) }];
  });
}

/** An editor cuts hints after about 43 characters of a line: the tooltip has it all. */
function totalHints(compressions: readonly ReadCompression[], compressed: CompressedModel): Hint[] {
  if (compressions.every(({ layers }) => layers.size === 0) || !compressed.isSizeKnown()) return [];
  const isEstimate = compressions.some(({ method }) => methodFacts[method].leaves === 'zeros');
  const size = compressed.total();
  if (size.weightsKept === 0) return [];
  const bytes = `${isEstimate ? '~' : ''}${formatBytes(size.bytesKept)}, ${formatRatio(size.byteRatio)} smaller`;
  const weights = size.weightsKept === size.weights ? '' : ` (weights: ${formatRatio(size.weightRatio)})`;
  const tooltip =
    `Predicted for the final model: ${formatCount(size.weightsKept)} of ${formatCount(size.weights)} weights, biases left out, and ` +
    `a file of it ${WOULD_TAKE} ${formatBytes(size.bytesKept)} in place of ${formatBytes(size.bytes)}, with everything that it needs` +
    (isEstimate ? '; the index of the weights that are left is that of random places.' : '.');
  return [{ path: ['compression'], at: 'start', label: bytes + weights, tooltip }];
}

function layerHints(compression: ReadCompression, compressed: CompressedModel): Hint[] {
  return Array.from(compression.layers).flatMap(([key, setting]): Hint[] => {
    const weights = compressed.weightsOf(compression, key);
    if (!setting || weights.length === 0 || !compressed.isSizeKnown(weights)) return [];
    const path = [...compression.path, 'layers', key];
    const size = compressed.total(weights);
    const written: Readonly<Record<string, unknown>> = setting.parameters;
    return Object.entries(methodFacts[setting.method].parameters).flatMap(([name, { leaves, fixedBy }]): Hint[] => {
      const shown = (written[name] === undefined && fixedBy) || name;
      return leaves ? [{ path: [...path, shown], at: 'end', label: leaves(size) }] : [];
    });
  });
}

/** What proximal steps take off: known without the model, where the file tells the learning rate that training begins with. */
function thresholdHints(document: ExperimentDocument, { path, method, layers }: ReadCompression): Hint[] {
  const { proximal } = methodFacts[method];
  const learningRate = numberAt(document, ['training', 'optimizer', 'learningRate']);
  if (!proximal || learningRate === undefined) return [];
  const formula = textAt(document, [...path, 'threshold']);
  return Array.from(layers).flatMap(([key, setting]): Hint[] => {
    const parameters: Readonly<Record<string, unknown>> = setting?.parameters ?? {};
    const strength = parameters[proximal.strength];
    if (typeof strength !== 'number') return [];
    const label = proximal.cuts(thresholdOf(strength, formula, learningRate), parameters);
    return [{ path: [...path, 'layers', key, proximal.strength], at: 'end', label }];
  });
}

/** Times in the other unit, where the length of an epoch is known; the number of distortions. */
function timeHints(
  document: ExperimentDocument,
  compressions: readonly ReadCompression[],
  model: ModelDescription,
): Hint[] {
  const { times, stepsPerEpoch } = knownTimes(document, model);
  const inOtherUnit = (time: Time): string[] => {
    if (time.count === 0) return [];
    const other = time.unit === 'steps' ? 'epochs' : 'steps';
    const count = timeIn(other, time, stepsPerEpoch);
    if (count === undefined) return [];
    return [other === 'steps' ? `${formatCount(count)} steps` : epochText(count)];
  };
  const shown = [
    times.steps ?? times.epochs,
    ...times.thin,
    ...compressions.flatMap((read) => [read.times.from, read.times.to]),
  ];
  const hints = shown.flatMap((time): Hint[] =>
    time ? inOtherUnit(time).map((label) => ({ path: time.path, at: 'end', label })) : [],
  );
  for (const compression of compressions.filter(distortsRegularly)) {
    const own = compression.times.distortEvery;
    const { distortEvery, from, end } = timesIn('steps', times, compression.times, stepsPerEpoch);
    if (!own || distortEvery === undefined || from === undefined || end === undefined) continue;
    const count = distortionCount({ distortEvery, from, steps: end });
    const distortions = count === 1 ? '1 distortion' : `${formatCount(count)} distortions`;
    const inSteps = own.unit === 'epochs' ? inOtherUnit(own) : [];
    hints.push({ path: own.path, at: 'end', label: [...inSteps, distortions].join(', ') });
  }
  return hints;
}

function epochText(epochs: number): string {
  const rounded = Number(epochs.toFixed(epochs < 10 ? 2 : 1));
  return rounded === 1 ? '1 epoch' : `${rounded} epochs`;
}
