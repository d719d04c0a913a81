/** @file Values that can be typed: words of the schema, numbers with what they mean for the model, runs, files and blocks. */
import { CompletionItemKind } from 'vscode-languageserver/node';
import { discriminatorOf } from '../../protocol/experiment/expectation.ts';
import { withinCompression } from '../../protocol/experiment/compressions.ts';
import type { JsonSchema } from '../../protocol/experiment/experimentJsonSchema.ts';
import { namesRun, RUN } from '../../protocol/experiment/runReference.ts';
import { markdownCode, markdownText } from '../../protocol/markdown.ts';
import { resultText } from '../../protocol/run/resultText.ts';
import {
  hasEnding,
  isDeclaration,
  modelEndings,
  moduleEndings,
  startEndings,
  teacherEndings,
} from '../../protocol/model/modelEndings.ts';
import { builtinNames } from '../../models/builtinNames.ts';
import type { KnownRun } from '../experimentDocument.ts';
import { canNameRun } from '../namedRuns.ts';
import {
  choicesOf,
  isPathSetting,
  isPlain,
  optionsOf,
  settingDocumentation,
  settingSchema,
} from '../settingDocumentation.ts';
import { sweptSetting, withoutSweep } from '../sweptSettings.ts';
import { listOfColumn, namesColumn, tableColumns } from '../tableColumns.ts';
import { textAt, valueAt } from '../writtenSettings.ts';
import { endValues } from './completeEnds.ts';
import { compressionBlocks, experimentBlocks } from './experimentSnippets.ts';
import type { Proposal, Typing } from './proposal.ts';
import { layerValues } from './layerValues.ts';
import { escaped, Places, requiredSnippet, valueSnippet } from './snippetText.ts';

export function valueProposals(typing: Typing): Proposal[] {
  const { document, surroundings, place } = typing;
  const { path } = place;
  if (path.length === 0) return blocks(experimentBlocks(document, surroundings, true));
  if (withinCompression(path)?.inner.length === 0) return blocks(compressionBlocks(document, surroundings));
  const swept = sweptSetting(path);
  const node = swept ? settingSchema(withoutSweep(document.settings), swept) : settingSchema(document.settings, path);
  if (!node) return [];
  if (isPathSetting(node))
    return [
      ...(canNameRun(path) ? runProposals(typing) : []),
      ...endValues(typing),
      ...fileProposals(typing),
      ...(path.at(-1) === 'model' ? builtinProposals() : []),
      ...optionsOf(node).flatMap(objectProposals),
    ];
  if (namesColumn(path)) return columnValues(typing);
  const values = layerValues(typing);
  return values.length > 0 ? values : [...endValues(typing), ...schemaProposals(node)];
}

/** Columns of the table that are not named yet. */
function columnValues({ document, surroundings, place: { path } }: Typing): Proposal[] {
  const list = listOfColumn(path);
  const written = list && valueAt(document, list);
  const named = [...(Array.isArray(written) ? written : []), list ? textAt(document, ['data', 'target']) : ''];
  return tableColumns(document, surroundings)
    .filter((name) => !named.includes(name))
    .map((name) => ({ label: name, kind: CompletionItemKind.Field, snippet: escaped(JSON.stringify(name)) }));
}

function schemaProposals(node: JsonSchema): Proposal[] {
  const discriminator = discriminatorOf(node);
  if (discriminator)
    return Array.from(discriminator.options, ([value, option]) => ({
      label: value,
      kind: CompletionItemKind.Snippet,
      documentation: option.description,
      snippet: `{ ${requiredSnippet(option, new Places())} }`,
    }));
  const words = choicesOf(node);
  if (words.length > 0)
    return [
      ...plainProposals(node).filter(({ label }) => !words.some(({ value }) => value === label)),
      ...words.map(({ value, meaning }) => ({
        label: value,
        kind: CompletionItemKind.EnumMember,
        detail: value === node.default ? 'default' : undefined,
        documentation: meaning,
        snippet: escaped(JSON.stringify(value)),
      })),
      ...optionsOf(node).flatMap(objectProposals),
    ];
  return node.type === 'object' ? objectProposals(node) : plainProposals(node);
}

/** The default of a setting, and examples of its values. */
function plainProposals(node: JsonSchema): Proposal[] {
  const values = node.type === 'boolean' ? [true, false] : [node.default, ...((node.examples as unknown[]) ?? [])];
  return [...new Set(values)].filter(isPlain).map((value) => ({
    label: String(value),
    kind: CompletionItemKind.Value,
    detail: value === node.default ? 'default' : undefined,
    documentation: settingDocumentation(node),
    snippet: escaped(JSON.stringify(value)),
  }));
}

function objectProposals(node: JsonSchema): Proposal[] {
  if (node.type !== 'object') return [];
  return [
    {
      label: '{ }',
      kind: CompletionItemKind.Struct,
      documentation: node.description,
      snippet: valueSnippet(node, new Places()),
    },
  ];
}

function blocks(all: readonly { label: string; detail: string; text: string }[]): Proposal[] {
  return all.map(({ label, detail, text }) => ({ label, kind: CompletionItemKind.Snippet, detail, snippet: text }));
}

function builtinProposals(): Proposal[] {
  return builtinNames.map((name) => ({
    label: `builtin:${name}`,
    kind: CompletionItemKind.Class,
    detail: 'built in',
    snippet: `"builtin:${name}"`,
  }));
}

/** The newest run of each experiment by its name, then single runs. */
function runProposals({ surroundings: { runs, others } }: Typing): Proposal[] {
  const usable = [...others, ...runs].filter(({ state }) => state === 'finished');
  const names = new Map<string, KnownRun>();
  for (const run of usable) if (!names.has(run.record.name)) names.set(run.record.name, run);
  const proposal = (reference: string, { record }: KnownRun, documentation: string): Proposal => ({
    label: RUN + reference,
    kind: CompletionItemKind.Reference,
    // `98.20% · 46.1x · 2026-11-26 14:05`
    detail: [resultText(record), record.created.slice(0, 16).replace('T', ' ')]
      .filter((part) => part !== undefined)
      .join(' · '),
    documentation,
    snippet: escaped(JSON.stringify(RUN + reference)),
  });
  return [
    ...Array.from(names, ([name, run]) =>
      proposal(name, run, `The newest run of ${markdownCode(name)}, now ${markdownText(run.record.id)}.`),
    ),
    ...usable.map((run) => proposal(run.record.id, run, `A run of ${markdownCode(run.record.experiment)}.`)),
  ];
}

/** Endings of the files that a setting can name, by its path; any where nothing is said. */
const files: readonly [RegExp, readonly string[]][] = [
  [/(^|\.)model$/, [...moduleEndings, ...modelEndings]],
  [/(^|\.)model\.onnx$/, ['.onnx']],
  [/^start(\.from)?$|^distillation\.teacher\.weights$/, startEndings],
  [/^distillation\.teacher$/, teacherEndings],
  [/module$/, moduleEndings],
  [/^data\.(train|test|validation)\./, ['.npy', '.npz', '.safetensors', '.h5', '.hdf5']],
  [/^data\.vocabulary\./, ['.txt']],
  [/^data\.tokenizer$/, ['.json']],
  [/^data\.labels\b/, ['.csv', '.tsv', '.txt']],
  [/^data\.files\./, ['.txt', '.csv', '.tsv', '.parquet']],
];

/** Files and folders of the folder that is typed so far. */
function fileProposals({ document, surroundings, place }: Typing): Proposal[] {
  const text = document.text.getText().slice(place.range.start, place.range.end).replace(/^"|"$/g, '');
  const folder = /^.*\//.exec(text)?.[0] ?? './';
  if (namesRun(text) || text.startsWith('builtin:')) return [];
  const wanted = files.find(([setting]) => setting.test(place.path.join('.')))?.[1];
  const entries = surroundings.entries(folder).filter((entry) => !entry.startsWith('.'));
  const isFolder = (entry: string) => entry.endsWith('/');
  return [...(/^(\.\.\/)*(\.\/)?$/.test(folder) ? ['../'] : []), ...entries]
    .filter((entry) => isFolder(entry) || !wanted || (hasEnding(entry, wanted) && !isDeclaration(entry)))
    .sort((a, b) => Number(isFolder(a)) - Number(isFolder(b)))
    .map((entry) => {
      const path = entry === '../' && folder === './' ? '../' : folder + entry;
      return {
        label: path,
        kind: isFolder(entry) ? CompletionItemKind.Folder : CompletionItemKind.File,
        snippet: isFolder(entry) ? `"${escaped(path)}$0"` : escaped(JSON.stringify(path)),
        goesOn: isFolder(entry),
      };
    });
}
