/** @file The places of what an experiment file names: a layer in the model's code, a file, a run. */
import { TextDocument } from 'vscode-languageserver-textdocument';
import type { LocationLink, Position, Range } from 'vscode-languageserver/node';
import { arrayReference } from '../../protocol/experiment/arrayReference.ts';
import { namesRun, RUN } from '../../protocol/experiment/runReference.ts';
import type { SettingPath } from '../../protocol/experiment/settingPath.ts';
import { runsNamed } from '../../runs/findRun.ts';
import { EXPERIMENT_FILE } from '../../runs/run.ts';
import { keysOf } from '../compressedModel.ts';
import type { ExperimentDocument, Surroundings } from '../experimentDocument.ts';
import { locatedLayers } from '../modelLayers.ts';
import { canNameRun } from '../namedRuns.ts';
import { layerAt } from '../readCompression.ts';
import { isPathSetting, settingSchema } from '../settingDocumentation.ts';

const START: Range = { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } };

export function definition(
  document: ExperimentDocument,
  position: Position,
  surroundings: Surroundings,
): LocationLink[] {
  const offset = document.text.offsetAt(position);
  const path = document.json.pathAt(offset);
  const key = document.json.rangeOfKey(path);
  const isKey = key !== undefined && key.start <= offset && offset <= key.end;
  const layer = layerAt(path);
  if (layer?.inner.length === 0 && isKey) return layerDefinitions(layer.key, document.rangeOf(key), surroundings);
  const value = document.json.rangeOfValue(path);
  if (!value || isKey) return [];
  const uri = fileNamed(document, path, surroundings);
  if (uri === undefined) return [];
  return [
    { originSelectionRange: document.rangeOf(value), targetUri: uri, targetRange: START, targetSelectionRange: START },
  ];
}

/** Every layer that the key names, closer keys or not. */
function layerDefinitions(key: string, origin: Range, { model, modelText }: Surroundings): LocationLink[] {
  if (!model || !modelText) return [];
  const text = TextDocument.create(modelText.uri, '', 0, modelText.text);
  const rangeOf = (start: number, end: number): Range => ({ start: text.positionAt(start), end: text.positionAt(end) });
  const calls = locatedLayers(model, modelText.text);
  const layers = new Set(
    keysOf(model)
      .named(key)
      .map(({ layer }) => layer),
  );
  const targets = new Set([...layers].flatMap((layer) => calls.get(layer) ?? []));
  return Array.from(targets, ({ start, end, kind, name }) => ({
    originSelectionRange: origin,
    targetUri: modelText.uri,
    targetRange: rangeOf(start, end),
    targetSelectionRange: name ? rangeOf(name.start, name.end) : rangeOf(start, start + kind.length),
  }));
}

/** The file that a value names; undefined for a folder, and for one that is not there. */
function fileNamed(
  { json, settings, text }: ExperimentDocument,
  path: SettingPath,
  { exists, entries, runs, others }: Surroundings,
): string | undefined {
  const range = json.rangeOfValue(path);
  const written = range && text.getText().slice(range.start, range.end);
  const value = written && stringOf(written);
  if (value === undefined || value === '') return undefined;
  if (canNameRun(path) && namesRun(value)) {
    const [run, other] = runsNamed(value.slice(RUN.length), [...runs, ...others].reverse());
    if (!run || other) return undefined;
    return fileUri(`${run.path.replaceAll('\\', '/')}/${EXPERIMENT_FILE}`);
  }
  const node = settingSchema(settings, path);
  const { file } = arrayReference(value);
  if (!node || !isPathSetting(node) || file.startsWith('builtin:') || !exists(file) || entries(file).length > 0)
    return undefined;
  return new URL(encodeURI(file.replaceAll('\\', '/')).replace(/[?#]/g, encodeURIComponent), text.uri).href;
}

function stringOf(written: string): string | undefined {
  try {
    const value: unknown = JSON.parse(written);
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}

function fileUri(path: string): string {
  return `file://${path.startsWith('/') ? '' : '/'}${encodeURI(path).replace(/[?#]/g, encodeURIComponent)}`;
}
