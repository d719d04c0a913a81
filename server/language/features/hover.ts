/** @file What is under the pointer: the meaning of a setting, what a layer's key compresses, the schedule as a picture. */
import { MarkupKind, type Hover, type Position } from 'vscode-languageserver/node';
import { withinCompression } from '../../protocol/experiment/compressions.ts';
import { methodFacts } from '../../protocol/experiment/methods/index.ts';
import { formatBytes, formatCount, formatRatio } from '../../protocol/formatQuantity.ts';
import { markdownCode, markdownText } from '../../protocol/markdown.ts';
import type { DescribedWeight, ModelDescription } from '../../protocol/model/modelDescription.ts';
import { openSettings } from '../../protocol/experiment/openSettings.ts';
import { formatSettingPath, isWithin, type SettingPath } from '../../protocol/experiment/settingPath.ts';
import { timesIn } from '../../protocol/experiment/times.ts';
import { WOULD_TAKE } from '../../protocol/run/wouldTake.ts';
import type { ModelSize } from '../../compression/size.ts';
import { compressedModel, type CompressedModel } from '../compressedModel.ts';
import type { ExperimentDocument, Surroundings } from '../experimentDocument.ts';
import { compressionAt, distortsRegularly, isSizeTrained, layerAt } from '../readCompression.ts';
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
  if (own.length === 0) return title;
  const unknown = own.flatMap((weight) => compressed.unknownSizeOf(weight) ?? [])[0] as UnknownSize | undefined;
  const parts = unknown
    ? [
        title,
        whyUnknown(document, unknown),
        table(
          own,
          compressed,
          columns.filter(({ isBefore }) => isBefore),
        ),
      ]
    : [title, table(own, compressed, columns)];
  return parts.join('\n\n');
}

type UnknownSize = NonNullable<ReturnType<CompressedModel['unknownSizeOf']>>;

/** Why nobody can tell what a compression will leave of the weights of a key. */
function whyUnknown(document: ExperimentDocument, { compression, key }: UnknownSize): string {
  if (isSizeTrained(compression)) return 'Training finds how much is left of them: it is not known before.';
  const layer = [...compression.path, 'layers', key];
  const isSearched = openSettings(document.settings).some(({ path }) => isWithin(path, layer));
  return isSearched
    ? 'How much is left of them is known when `deeptwist search` has found the settings.'
    : 'How much is left of them is not known: a setting of the layer is missing or wrong.';
}

interface Column {
  readonly title: string;
  /** True for what a weight is before its compression. */
  readonly isBefore?: true;
  readonly cell: (size: ModelSize) => string;
}

const columns: readonly Column[] = [
  { title: 'numbers', isBefore: true, cell: ({ weights }) => formatCount(weights) },
  { title: 'kept', cell: ({ weightsKept }) => formatCount(weightsKept) },
  { title: 'bytes', isBefore: true, cell: ({ bytes }) => formatBytes(bytes) },
  { title: WOULD_TAKE, cell: ({ bytesKept }) => formatBytes(bytesKept) },
  { title: 'smaller', cell: ({ byteRatio }) => formatRatio(byteRatio) },
];

function table(weights: readonly DescribedWeight[], compressed: CompressedModel, shown: readonly Column[]): string {
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const rowOf = (name: string, shape: string, own: readonly DescribedWeight[]) => {
    const size = compressed.total(own);
    return row([name, shape, ...shown.map(({ cell }) => cell(size))]);
  };
  const listed = weights.slice(0, LISTED);
  const rest = weights.length - listed.length;
  return [
    row(['weight', 'shape', ...shown.map(({ title }) => title)]),
    row(['---', ...['shape', ...shown].map(() => '---:')]),
    ...listed.map((weight) => rowOf(markdownText(weight.name), weight.shape.join(' x '), [weight])),
    ...(weights.length > 1 ? [rowOf(rest > 0 ? `all, ${rest} not listed` : 'all', '', weights)] : []),
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
