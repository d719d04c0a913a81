/** @file The same experiment with another compression method, at about the same size. */
import type { TextEdit } from 'vscode-languageserver/node';
import { formatRatio } from '../../protocol/formatQuantity.ts';
import { withinCompression } from '../../protocol/experiment/compressions.ts';
import { methodFacts } from '../../protocol/experiment/methods/index.ts';
import { worksWith } from '../../protocol/experiment/methods/policies.ts';
import type { Method } from '../../protocol/experiment/schema.ts';
import { compressionSchemas, DEFAULT_POLICY } from '../../protocol/experiment/schema/compression.ts';
import { readTimes, timesIn } from '../../protocol/experiment/times.ts';
import { isMatrix } from '../../compression/targets/targets.ts';
import { compressedModel } from '../compressedModel.ts';
import type { ExperimentDocument } from '../experimentDocument.ts';
import { compressionAt, isSizeKnown, type ReadCompression } from '../readCompression.ts';
import { recordAt } from '../writtenSettings.ts';
import { replaceValue, type Rewriting, type Rewritten } from './rewriting.ts';
import { byteRatioOf, equivalentSetting, sizedMethods } from './equivalentSetting.ts';

/** Conversions offered at the method, and at `"compression"` and `"layers"`; none where the model or a setting is not known. */
export function conversions({ document, path, surroundings: { model } }: Rewritten): Rewriting[] {
  const compression = compressionAt(document, path);
  const inner = withinCompression(path)?.inner;
  const isHere = inner && (inner.length === 0 || (inner.length === 1 && inner[0] !== 'schedule'));
  if (!isHere || !compression || !sizedMethods.includes(compression.method)) return [];
  return sizedMethods
    .filter((method) => method !== compression.method)
    .flatMap((method) => conversion(method, document, compression, model));
}

function conversion(
  method: Method,
  document: ExperimentDocument,
  compression: ReadCompression,
  model: Rewritten['surroundings']['model'],
): Rewriting[] {
  const compressed = compressedModel(document, model);
  if (!compressed || compression.layers.size === 0) return [];
  const edits: TextEdit[] = replaceValue(document, [...compression.path, 'method'], JSON.stringify(method));
  const ratios: number[] = [];
  for (const [key, setting] of compression.layers) {
    const own = compressed.weightsOf(compression, key);
    const weights = own.length > 0 ? own : compressed.keys.named(key).filter(isMatrix);
    if (!setting || weights.length === 0 || !isSizeKnown(compression, key)) return [];
    const equivalent = equivalentSetting(method, weights, byteRatioOf(weights, setting));
    if (!equivalent) return [];
    edits.push(...replaceValue(document, [...compression.path, 'layers', key], equivalent.text));
    ratios.push(equivalent.ratio);
  }
  const schedule = scheduleEdits(method, document, compression);
  const foreign = foreignSettings(method, document, compression);
  if (!schedule || !foreign) return [];
  edits.push(...schedule, ...foreign);
  if (!worksWith(compression.policy, method))
    edits.push(...replaceValue(document, [...compression.path, 'policy'], JSON.stringify(DEFAULT_POLICY)));
  const [low, high] = [Math.min(...ratios), Math.max(...ratios)].map(formatRatio);
  const size = low === high ? low : `${low} to ${high}`;
  return [{ title: `Convert to ${method}, at about the same size (layers ${size} smaller)`, edits }];
}

/** Removes the settings that only the method so far has; undefined where the text does not let each be removed by itself. */
function foreignSettings(
  method: Method,
  document: ExperimentDocument,
  { path }: ReadCompression,
): TextEdit[] | undefined {
  const known = Object.keys(compressionSchemas[method].shape);
  const foreign = Object.keys(recordAt(document, path)).filter((name) => !known.includes(name));
  const ranges = foreign.flatMap((name) => {
    const key = document.json.rangeOfKey([...path, name]);
    return key ? document.json.rangesToRemove(key.start) : [];
  });
  if (ranges.some(({ start }, i) => i > 0 && start < ranges[i - 1].end)) return undefined;
  return ranges.map((range) => ({ range: document.rangeOf(range), newText: '' }));
}

/** Adds or removes the end of the schedule, which only a rising one has; undefined where the length of the training does not tell it. */
function scheduleEdits(
  method: Method,
  document: ExperimentDocument,
  compression: ReadCompression,
): TextEdit[] | undefined {
  const path = [...compression.path, 'schedule'];
  if (!compression.schedule) return [];
  const { times } = compression;
  const from = times.from.count;
  const unit = document.json.has([...path, 'unit']) ? `, "unit": ${JSON.stringify(times.from.unit)}` : '';
  if (methodFacts[method].rises === undefined)
    return compression.schedule.rise ? replaceValue(document, path, `{ "from": ${from}${unit} }`) : [];
  const { end } = timesIn(times.from.unit, readTimes(document.settings), times, undefined);
  if (end === undefined || end <= from) return undefined;
  const to = Math.ceil((from + end) / 2);
  return replaceValue(document, path, `{ "from": ${from}, "to": ${to}${unit} }`);
}
