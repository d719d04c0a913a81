/** @file Completes `path=value` texts as they are typed, from the schema and from the experiment itself: pure. */
import { isRecord } from '../../server/protocol/record.ts';
import { allowedStrings, expectation, schemaAt } from '../../server/protocol/experiment/expectation.ts';
import { experimentJsonSchema, type JsonSchema } from '../../server/protocol/experiment/experimentJsonSchema.ts';
import { JsonText } from '../../server/protocol/experiment/jsonText.ts';
import { applyOverride, parseOverride } from '../../server/protocol/experiment/overrides.ts';
import { namedSettings } from '../../server/protocol/experiment/settingNames.ts';
import { formatSettingPath, parseSettingPath, valueAt } from '../../server/protocol/experiment/settingPath.ts';
import { splitValues } from '../runs/overrideText.ts';

export interface Completion {
  /** The whole line with the completion in it. */
  readonly line: string;
  /** The path or the value. */
  readonly label: string;
  /** The value that the setting has. */
  readonly description?: string;
  /** Set for the value that the setting has now. */
  readonly present?: true;
  /** What the setting means, or what it expects. */
  readonly detail?: string;
}

/** As many as can be taken in at a glance. */
const SHOWN = 30;

/**
 * @param line what was typed so far; its last text is completed
 * @param text of the experiment file
 * @param overrides `path=value` texts that apply to it before those of the line
 */
export function completeValues(line: string, text: string, overrides: readonly string[]): Completion[] {
  const texts = splitValues(line);
  const last = texts.at(-1);
  // White space may also stand in the last text, in quotes that are still open.
  const typed = last !== undefined && line.endsWith(last) ? last : '';
  if (typed !== '') texts.pop();
  const before = line.slice(0, line.length - typed.length);
  const document = documentOf(text, [...overrides, ...texts]);
  const equals = typed.indexOf('=');
  const complete = equals === -1 ? paths : values;
  return complete(typed, document)
    .slice(0, SHOWN)
    .map(({ text: completed, ...shown }) => ({ ...shown, line: before + completed }));
}

interface Found extends Omit<Completion, 'line'> {
  readonly text: string;
}

/** Settings with the typed words in their names: first those whose last name begins with it, then those of the compression and the training. */
function paths(typed: string, document: Record<string, unknown>): Found[] {
  const all = namedSettings(document).map(({ path, schema, value }): Found => {
    const name = formatSettingPath(path);
    const description = value === undefined ? undefined : JSON.stringify(value);
    return { text: `${name}=`, label: name, description, detail: meaning(schema) };
  });
  const wanted = typed.toLowerCase();
  const names = all
    .filter(({ label }) => label.toLowerCase().includes(wanted))
    .sort((a, b) => variedPlace(a.label) - variedPlace(b.label));
  const begins = ({ label }: Found) => label.toLowerCase().split(/[.[]/).at(-1)!.startsWith(wanted);
  return [...names.filter(begins), ...names.filter((found) => !begins(found))];
}

/** Place of a setting by its section: what is varied from run to run comes before what the runs are about. */
function variedPlace(path: string): number {
  return path.startsWith('compression') ? 0 : path.startsWith('training') ? 1 : 2;
}

/** The values that a setting can have where they are few; for any other, the one that it has. */
function values(typed: string, document: Record<string, unknown>): Found[] {
  const equals = typed.indexOf('=');
  const path = parseSettingPath(typed.slice(0, equals));
  const node = path && schemaAt(experimentJsonSchema(), document, path);
  if (!path || !node) return [];
  const present = valueAt(document, path);
  const allowed: unknown[] = node.type === 'boolean' ? [true, false] : allowedStrings(node);
  const offered = allowed.length > 0 ? allowed : present === undefined ? [] : [present];
  const wanted = typed.slice(equals + 1).toLowerCase();
  return offered
    .map((value) => ({
      value,
      label: typeof value === 'string' ? value : JSON.stringify(value),
      text: typed.slice(0, equals + 1) + inLine(value),
    }))
    .filter(({ label, text }) => {
      const begins = [label, text.slice(equals + 1)].some((form) => form.toLowerCase().startsWith(wanted));
      return begins && text !== typed;
    })
    .map(({ value, label, text }) => ({
      text,
      label,
      ...(value === present && { present: true as const }),
      detail: allowed.length > 0 ? firstSentence(node) : meaning(node),
    }));
}

/** A string is in quotes where {@link splitValues} would cut it or take the next text with it, or where it would be read as something else. */
function inLine(value: unknown): string {
  const isPlain =
    typeof value === 'string' && !/[\s"{}[\]]/.test(value) && parseOverride(`x=${value}`)?.value === value;
  return isPlain ? value : JSON.stringify(value);
}

function documentOf(text: string, overrides: readonly string[]): Record<string, unknown> {
  const document = new JsonText(text).value();
  if (!isRecord(document)) return {};
  for (const override of overrides.map(parseOverride)) if (override) applyOverride(document, override);
  return document;
}

/** What a setting means, else what it may be; undefined for one that has a single word and no description. */
function meaning(node: JsonSchema): string | undefined {
  return firstSentence(node) ?? (node.const === undefined ? expectation(node) : undefined);
}

/** The first sentence of the description: a list has one line for it. */
function firstSentence({ description }: JsonSchema): string | undefined {
  return description?.split(/(?<=\.)\s/)[0];
}
