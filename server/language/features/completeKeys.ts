/** @file Keys that can be typed: settings that are not there yet, and blocks of them. */
import { CompletionItemKind } from 'vscode-languageserver/node';
import { isRecord } from '../../protocol/record.ts';
import { alternativeProblems } from '../../protocol/experiment/alternativeProblems.ts';
import { alternativeOf, discriminatorOf, optionOf } from '../../protocol/experiment/expectation.ts';
import { withinCompression } from '../../protocol/experiment/compressions.ts';
import type { JsonSchema } from '../../protocol/experiment/experimentJsonSchema.ts';
import { JsonText } from '../../protocol/experiment/jsonText.ts';
import { problemsOf } from '../../protocol/experiment/parseExperiment.ts';
import type { SettingProblem } from '../../protocol/experiment/problem.ts';
import { namedSettings } from '../../protocol/experiment/settingNames.ts';
import { formatSettingPath, isWithin, type SettingPath } from '../../protocol/experiment/settingPath.ts';
import { layerAt } from '../readCompression.ts';
import { settingDocumentation, settingSchema } from '../settingDocumentation.ts';
import { namesSettings, withoutSweep } from '../sweptSettings.ts';
import { hasColumnKeys, tableColumns } from '../tableColumns.ts';
import { recordAt, textAt } from '../writtenSettings.ts';
import { endKeys } from './completeEnds.ts';
import { layerProposals } from './completeLayers.ts';
import type { Proposal, Typing } from './proposal.ts';
import { compressionBlocks, experimentBlocks } from './experimentSnippets.ts';
import { escaped, NoPlaces, Places, requiredSnippet, valueSnippet } from './snippetText.ts';

export function keyProposals(typing: Typing): Proposal[] {
  const { document, place } = typing;
  const object = recordAt(document, place.path);
  const written = new Set(Object.keys(object));
  const [start, end] = [place.range.start + 1, place.range.end - 1];
  const under = document.text.getText().slice(start, end);
  written.delete(under);
  if (withinCompression(place.path)?.inner.join('/') === 'layers') return layerProposals(typing, written);
  if (hasColumnKeys(place.path)) return columnKeys(typing, written);
  if (namesSettings(place.path)) return sweptKeys(typing, written);
  const ends = endKeys(typing, written);
  if (ends) return [...ends];
  const node = settingSchema(document.settings, place.path);
  if (!node) return [];
  const option = optionOf(node, object);
  if (!option) return optionProposals(alternativeOf(node, object) ?? node, written, typing);
  return [
    ...settingProposals(option, written, typing),
    ...(place.path.length === 0 ? blockProposals(written, typing) : []),
  ];
}

/** Columns of the table, each with the choice of its kind. */
function columnKeys({ document, surroundings, place }: Typing, written: ReadonlySet<string>): Proposal[] {
  const target = textAt(document, ['data', 'target']);
  return tableColumns(document, surroundings)
    .filter((name) => !written.has(name) && name !== target)
    .map((name) => {
      const key = escaped(JSON.stringify(name));
      return {
        label: name,
        kind: CompletionItemKind.Field,
        snippet: place.next === 'colon' ? key : `${key}: "$1"`,
        goesOn: place.next !== 'colon',
      };
    });
}

/** Settings that a sweep can vary, each with its value. */
function sweptKeys({ document, place }: Typing, written: ReadonlySet<string>): Proposal[] {
  return namedSettings(withoutSweep(document.settings)).flatMap(({ path, schema, value }): Proposal[] => {
    const name = formatSettingPath(path);
    if (written.has(name) || path[0] === 'sweep' || standsForAnother(document.settings, path)) return [];
    const key = escaped(JSON.stringify(name));
    const places = new Places();
    const usual = value === undefined ? valueSnippet(schema, places) : places.text(JSON.stringify(value));
    const first = place.path[1] === 'vary' ? `[${usual}]` : usual;
    return [
      {
        label: name,
        kind: CompletionItemKind.Property,
        detail: value === undefined ? undefined : JSON.stringify(value),
        documentation: settingDocumentation(schema),
        snippet: place.next === 'colon' ? key : `${key}: ${first}`,
      },
    ];
  });
}

function settingProposals(option: JsonSchema, written: ReadonlySet<string>, { document, place }: Typing): Proposal[] {
  const contradicts = contradictions(document.settings, place.path);
  return Object.keys(option.properties ?? {}).flatMap((key): Proposal[] => {
    const node = settingSchema(document.settings, [...place.path, key]);
    if (node === undefined || written.has(key) || key.startsWith('$')) return [];
    if (contradicts(key, node)) return [];
    const required = option.required?.includes(key);
    return [
      {
        label: key,
        kind: CompletionItemKind.Property,
        detail: required ? 'required' : undefined,
        documentation: settingDocumentation(node),
        snippet:
          place.next === 'colon' ? escaped(JSON.stringify(key)) : `"${key}": ${valueSnippet(node, new Places())}`,
        goesOn: place.next !== 'colon' && wantsChoice(node),
      },
    ];
  });
}

/** True if there is something to choose in the value of a key that was just inserted. */
function wantsChoice(node: JsonSchema): boolean {
  if (node.examples !== undefined || node.default !== undefined) return false;
  const isOpen = typeof node.additionalProperties === 'object';
  return node.type === 'string' || isOpen || node.anyOf !== undefined || discriminatorOf(node) !== undefined;
}

/**
 * Tells of keys of an object if they are wrong beside what is there: `epochs` beside `steps`, a setting of another policy. The sections of a
 * file are written in any order, and need not fit yet.
 */
function contradictions(settings: unknown, path: SettingPath): (key: string, node: JsonSchema) => boolean {
  if (path.length === 0) return () => false;
  const around = withFewLayers(path[0] === 'sweep' ? settings : withoutSweep(settings), path);
  const before = problemsOf(around);
  return (key, node) => {
    const own = [...path, key];
    const count = (problems: readonly SettingProblem[]) =>
      problems.filter(
        ({ at, code, path: place }) =>
          at === 'key' && (code === 'alternatives' || (code === 'combination' && isWithin(place, own))),
      ).length;
    return count(problemsOf(withKey(around, path, key, firstValue(node)))) > count(before);
  };
}

/** True for a setting in the place of one that is there, such as `epochs` beside `steps`: of hundreds of settings it is asked quickly. */
function standsForAnother(settings: unknown, path: SettingPath): boolean {
  const count = (document: unknown) => alternativeProblems(document).filter(({ at }) => at === 'key').length;
  return count(withKey(settings, path.slice(0, -1), String(path.at(-1)), 'x')) > count(settings);
}

/** A file has hundreds of layers, which are checked one by one: of each compression is kept the first, and the one that a path leads to. */
function withFewLayers(settings: unknown, path: SettingPath): unknown {
  if (!isRecord(settings)) return settings;
  const key = layerAt(path)?.key;
  const shortened = (compression: unknown): unknown =>
    isRecord(compression) && isRecord(compression.layers)
      ? {
          ...compression,
          layers: Object.fromEntries(Object.entries(compression.layers).filter(([name], i) => i === 0 || name === key)),
        }
      : compression;
  const { compression } = settings;
  if (compression === undefined) return settings;
  return { ...settings, compression: Array.isArray(compression) ? compression.map(shortened) : shortened(compression) };
}

/** The value that a key would be completed with. */
function firstValue(node: JsonSchema): unknown {
  const value = new JsonText(valueSnippet(node, new NoPlaces())).value();
  // In the place of a text or a number that is yet to be typed: a wrong value would hide that the setting does not fit.
  return value === '' || value === undefined ? 'x' : value;
}

/** A copy of the settings, as far as needed, with a key more. */
function withKey(settings: unknown, path: SettingPath, key: string, value: unknown): unknown {
  if (Array.isArray(settings))
    return settings.map((entry, i) => (i === path[0] ? withKey(entry, path.slice(1), key, value) : entry));
  const object = isRecord(settings) ? settings : {};
  if (path.length === 0) return { ...object, [key]: value };
  return { ...object, [path[0]]: withKey(object[path[0]], path.slice(1), key, value) };
}

/** The options of a union, of which none has been chosen; none where the setting that tells them apart has a wrong value. */
function optionProposals(node: JsonSchema, written: ReadonlySet<string>, { place }: Typing): Proposal[] {
  const discriminator = discriminatorOf(node);
  if (!discriminator || written.has(discriminator.key)) return [];
  const { key, options } = discriminator;
  if (place.next === 'colon') return [{ label: key, kind: CompletionItemKind.Property, snippet: JSON.stringify(key) }];
  return Array.from(options, ([value, option]) => ({
    label: `${key}: ${value}`,
    kind: CompletionItemKind.Snippet,
    documentation: option.description,
    snippet: requiredSnippet(option, new Places()),
    typed: key,
  }));
}

function blockProposals(written: ReadonlySet<string>, { document, surroundings, place }: Typing): Proposal[] {
  if (place.next === 'colon') return [];
  const compressions = written.has('compression')
    ? []
    : compressionBlocks(document, surroundings).map(({ label, detail, text }) => ({
        label: `compression: ${label}`,
        kind: CompletionItemKind.Snippet,
        detail,
        snippet: `"compression": ${text}`,
        typed: `compression ${label}`,
      }));
  const experiments = written.size > 0 ? [] : experimentBlocks(document, surroundings, false);
  return [
    ...experiments.map(({ label, detail, text }) => ({
      label,
      kind: CompletionItemKind.Snippet,
      detail,
      snippet: text,
    })),
    ...compressions,
  ];
}
