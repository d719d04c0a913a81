/** @file Another name for a layer, in the model's code and in every experiment that compresses it. */
import { TextDocument } from 'vscode-languageserver-textdocument';
import type { Position, Range, TextEdit, WorkspaceEdit } from 'vscode-languageserver/node';
import type { ModelDescription } from '../../protocol/model/modelDescription.ts';
import { UserError } from '../../protocol/userError.ts';
import type { ExperimentDocument, Surroundings } from '../experimentDocument.ts';
import { locatedLayers } from '../modelLayers.ts';
import { layerAt } from '../readCompression.ts';
import { writtenNames, type WrittenName } from '../writtenLayerNames.ts';

export interface RenamedLayer {
  readonly edit: WorkspaceEdit;
  /** Globs, and names with stars for weights to start from, that name the layer: they are left as they are. */
  readonly globs: readonly { readonly uri: string; readonly key: string }[];
}

/** The name at the cursor, without what its layer is in and without its weight; undefined where there is no name of a layer. */
export function prepareRename(
  document: ExperimentDocument,
  position: Position,
  { model, modelText }: Surroundings,
): { range: Range; placeholder: string } | undefined {
  const found = model && namedLayerAt(document, position, model);
  if (!found) return undefined;
  const placeholder = ownName(found.layer);
  nameInCode(found.layer, model, modelText, placeholder);
  return { range: document.rangeOf(found.range), placeholder };
}

/**
 * Finds the name of a layer in the code of the model.
 * @param example a name that a layer without one could have
 * @throws UserError where the code has no such name
 */
function nameInCode(
  layer: string,
  model: ModelDescription,
  modelText: Surroundings['modelText'],
  example: string,
): { text: { readonly uri: string; readonly text: string }; name: { start: number; end: number } } {
  if (!modelText)
    throw new UserError(`The layer ${layer} is not named in a file of yours.`, {
      remedy: 'Layers of a built-in or saved model keep their names.',
    });
  const name = locatedLayers(model, modelText.text).get(layer)?.name;
  if (name?.text !== ownName(layer))
    throw new UserError(
      `The name of the layer ${layer} is not written in the code of the model: it is made up or computed.`,
      {
        remedy: `Give the layer a name there, for example name: '${example}'.`,
      },
    );
  return { text: modelText, name };
}

/**
 * @param others the other experiment files that use the model
 * @throws UserError where the model's code does not have the name as it is, or where the new one cannot be
 */
export function rename(
  document: ExperimentDocument,
  position: Position,
  newName: string,
  { model, modelText }: Surroundings,
  others: readonly ExperimentDocument[],
): RenamedLayer {
  const found = model && namedLayerAt(document, position, model);
  if (!found)
    throw new UserError('There is no layer of the model here.', {
      remedy: 'Put the cursor on the name of a layer in compression.layers.',
    });
  const { layer } = found;
  const { text: code, name } = nameInCode(layer, model, modelText, newName);
  const renamed = layer.slice(0, layer.length - ownName(layer).length) + newName;
  check(newName, renamed, new Set(model.weights.map((weight) => weight.layer)));

  const changes: Record<string, TextEdit[]> = {};
  const text = TextDocument.create(code.uri, '', 0, code.text);
  const range = { start: text.positionAt(name.start), end: text.positionAt(name.end) };
  changes[code.uri] = [{ range, newText: newName }];
  const globs: { uri: string; key: string }[] = [];
  for (const experiment of [document, ...others]) {
    const { uri } = experiment.text;
    for (const written of writtenNames(experiment, model, layer, renamed)) {
      const edit = nameEdit(experiment, written);
      if (edit) (changes[uri] ??= []).push(edit);
      else globs.push({ uri, key: written.text });
    }
  }
  return { edit: { changes }, globs };
}

function check(newName: string, renamed: string, layers: ReadonlySet<string>): void {
  if (layers.has(renamed))
    throw new UserError(`The model has a layer ${renamed} already.`, { remedy: 'Choose another name.' });
  if (!/^[\w.-]+$/.test(newName))
    throw new UserError(`"${newName}" cannot be the name of a layer.`, {
      remedy: 'Use letters, digits, dots, dashes and underscores.',
    });
}

/** The edit that renames a layer where it is written; undefined for a pattern, which stays as it is. */
function nameEdit(experiment: ExperimentDocument, { path, at, renamed }: WrittenName): TextEdit | undefined {
  const range = at === 'key' ? experiment.json.rangeOfKey(path) : experiment.json.rangeOfValue(path);
  if (renamed === undefined || !range) return undefined;
  return { range: experiment.rangeOf(range), newText: JSON.stringify(renamed) };
}

/** The layer that a key names, and where its own name stands in the key. */
function namedLayerAt(
  document: ExperimentDocument,
  position: Position,
  model: NonNullable<Surroundings['model']>,
): { layer: string; range: { start: number; end: number } } | undefined {
  const offset = document.text.offsetAt(position);
  const path = document.json.pathAt(offset);
  const found = layerAt(path);
  if (found?.inner.length !== 0) return undefined;
  const { key } = found;
  const range = document.json.rangeOfKey(path);
  if (!range || offset < range.start || offset > range.end) return undefined;
  const layer = model.weights.find((weight) => weight.layer === key || weight.name === key)?.layer;
  const name = layer === undefined ? '' : ownName(layer);
  // An escape in the key would shift the name.
  if (layer === undefined || range.end - range.start !== key.length + 2) return undefined;
  const end = range.start + 1 + layer.length;
  return { layer, range: { start: end - name.length, end } };
}

/** Without the path of what the layer is in. */
function ownName(layer: string): string {
  return layer.slice(layer.lastIndexOf('/') + 1);
}
