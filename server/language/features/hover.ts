/** @file What is under the pointer: the meaning of a setting, what a layer's key compresses, the schedule as a picture. */
import { MarkupKind, type Hover, type Position } from 'vscode-languageserver/node';
import { withinCompression } from '../../protocol/experiment/compressions.ts';
import { methodFacts } from '../../protocol/experiment/methods/index.ts';
import { formatBytes, formatCount, formatRatio } from '../../protocol/formatQuantity.ts';
import { markdownCode, markdownText } from '../../protocol/markdown.ts';
import type { DescribedWeight, ModelDescription } from '../../protocol/model/modelDescription.ts';
import { formatSettingPath, type SettingPath } from '../../protocol/experiment/settingPath.ts';
import { timesIn } from '../../protocol/experiment/times.ts';
import { WOULD_TAKE } from '../../protocol/run/wouldTake.ts';
import { compressedModel, type CompressedModel } from '../compressedModel.ts';
import type { ExperimentDocument, Surroundings } from '../experimentDocument.ts';
import { compressionAt, distortsRegularly, layerAt } from '../readCompression.ts';
import { choicesOf, settingDocumentation, settingSchema } from '../settingDocumentation.ts';
import { sweptSetting, withoutSweep } from '../sweptSettings.ts';
import { knownTimes } from '../trainingTimes.ts';
import { PREVIEW_WIDTH, scheduleInWords, schedulePreview, type PreviewedSchedule } from './schedulePreview.ts';

export function hover(document: ExperimentDocument, position: Position, { model }: Surroundings): Hover | undefined {
  const offset = document.text.offsetAt(position);
  const path = document.json.pathAt(offset);
  if (path.length === 0) return undefined;
  const key = document.json.rangeOfKey(path);
  const value = document.json.rangeOfValue(path);
  const isKey = key !== undefined && key.start <= offset && offset <= key.end;
  const range = isKey ? key : value;
  // Between the settings of an object, nothing is pointed at.
  if (!range || (!isKey && /^[{[]/.test(document.text.getText().slice(range.start)))) return undefined;
  const parts = [
    isSchedule(path) ? schedulePicture(document, path, model) : undefined,
    layerAt(path)?.inner.length === 0 ? layerText(document, path, model) : settingText(document, path, isKey),
  ];
  const text = parts.filter((part) => part !== undefined).join('\n\n');
  if (text === '') return undefined;
  return { contents: { kind: MarkupKind.Markdown, value: text }, range: document.rangeOf(range) };
}

/** True for the settings that the picture of the schedule shows. */
function isSchedule(path: SettingPath): boolean {
  return ['schedule', 'distortEvery', 'unit'].includes(String(withinCompression(path)?.inner[0]));
}

/** The meaning of the chosen word where the setting is a choice, else that of the setting. */
function settingText({ settings, text, json }: ExperimentDocument, path: SettingPath, isKey: boolean) {
  const swept = sweptSetting(path);
  const setting = swept ?? path;
  const node = settingSchema(swept ? withoutSweep(settings) : settings, setting);
  const value = json.rangeOfValue(path);
  if (!node) return undefined;
  const title = `**${markdownText(formatSettingPath(setting))}**`;
  const written = isKey || !value ? undefined : text.getText().slice(value.start, value.end);
  const chosen = choicesOf(node).find((choice) => JSON.stringify(choice.value) === written);
  if (chosen?.meaning === undefined) return `${title}\n\n${settingDocumentation(node)}`;
  return `${title}: ${markdownCode(chosen.value)}\n\n${chosen.meaning}`;
}

/** Weights that a table lists; the rest is counted. */
const LISTED = 20;

function layerText(document: ExperimentDocument, path: SettingPath, model: ModelDescription | undefined): string {
  const key = String(path.at(-1));
  const name = markdownCode(key);
  const compression = compressionAt(document, path);
  const compressed = compressedModel(document, model);
  if (!compressed || !compression)
    return `${name}\n\nThe layers of the model are not known yet: it is described when it has been loaded.`;
  const named = compressed.keys.named(key).filter(({ shape }) => shape.length >= 2);
  if (named.length === 0) return `${name} matches no layer of the model.`;
  const own = compressed.weightsOf(compression, key);
  const others = named.length - own.length;
  const closer = others === 0 ? '' : ` ${others === 1 ? 'Another is' : `${others} others are`} named by a closer key.`;
  const count = own.length === 1 ? '1 matrix' : `${own.length} matrices`;
  const title = `${name} compresses ${count} of the model.${closer}`;
  return own.length === 0 ? title : `${title}\n\n${sizeTable(own, compressed)}`;
}

function sizeTable(weights: readonly DescribedWeight[], compressed: CompressedModel): string {
  const row = (
    name: string,
    shape: string,
    size: { weights: number; weightsKept: number; bytes: number; bytesKept: number },
  ) =>
    `| ${name} | ${shape} | ${formatCount(size.weights)} | ${formatCount(size.weightsKept)} | ` +
    `${formatBytes(size.bytes)} | ${formatBytes(size.bytesKept)} | ${formatRatio(size.bytes / size.bytesKept)} |`;
  const listed = weights.slice(0, LISTED);
  const rows = listed.map((weight) =>
    row(markdownText(weight.name), weight.shape.join(' x '), compressed.sizeOf(weight)),
  );
  const rest = weights.length - listed.length;
  const all = row(rest > 0 ? `all, ${rest} not listed` : 'all', '', compressed.total(weights));
  return [
    `| weight | shape | numbers | kept | bytes | ${WOULD_TAKE} | smaller |`,
    '| --- | ---: | ---: | ---: | ---: | ---: | ---: |',
    ...rows,
    ...(weights.length > 1 ? [all] : []),
  ].join('\n');
}

function schedulePicture(
  document: ExperimentDocument,
  path: SettingPath,
  model: ModelDescription | undefined,
): string | undefined {
  const schedule = previewedSchedule(document, path, model);
  if (!schedule) return undefined;
  const picture = Buffer.from(schedulePreview(schedule)).toString('base64');
  const words = scheduleInWords(schedule);
  return `![${words}](data:image/svg+xml;base64,${picture}|width=${PREVIEW_WIDTH})\n\n${words}`;
}

/** @returns undefined where the length of the training is not known, or a policy distorts at other times */
function previewedSchedule(
  document: ExperimentDocument,
  path: SettingPath,
  model: ModelDescription | undefined,
): PreviewedSchedule | undefined {
  const compression = compressionAt(document, path);
  if (!compression || !distortsRegularly(compression)) return undefined;
  const { times, stepsPerEpoch } = knownTimes(document, model);
  const { unit, from, to, end, distortEvery } = timesIn(
    stepsPerEpoch === undefined ? compression.times.from.unit : 'steps',
    times,
    compression.times,
    stepsPerEpoch,
  );
  if (from === undefined || end === undefined) return undefined;
  const { rises } = methodFacts[compression.method];
  const rates = Array.from(compression.layers.values()).flatMap((layer) => {
    const parameters: Readonly<Record<string, unknown>> = layer?.parameters ?? {};
    const rate = rises === undefined ? undefined : parameters[rises];
    return typeof rate === 'number' ? [rate] : [];
  });
  const rise = compression.schedule?.rise;
  if (from > end || (rise && to !== undefined && to < from)) return undefined;
  return {
    unit,
    from,
    end,
    distortEvery,
    rise: rise && to !== undefined ? { ...rise, to } : undefined,
    rates: [...new Set(rates)].sort((a, b) => b - a),
  };
}
