/** @file What the schema says of a setting, as Markdown: for completion and hover. */
import { alternativeOf, discriminatorOf, expectation, schemaAt } from '../protocol/experiment/expectation.ts';
import { experimentJsonSchema, type JsonSchema } from '../protocol/experiment/experimentJsonSchema.ts';
import { valueAt, type SettingPath } from '../protocol/experiment/settingPath.ts';

/**
 * The part of the schema that is about a setting. Of a union it is the option that the file has chosen; of the setting that tells
 * the options apart, all that it can be.
 */
export function settingSchema(settings: unknown, path: SettingPath): JsonSchema | undefined {
  const around = path.slice(0, -1);
  const object = path.length === 0 ? undefined : schemaAt(experimentJsonSchema(), settings, around);
  const union = object && alternativeOf(object, valueAt(settings, around));
  const discriminator = union && discriminatorOf(union);
  if (!discriminator || discriminator.key !== path.at(-1)) return schemaAt(experimentJsonSchema(), settings, path);
  const { options, usual } = discriminator;
  return {
    enum: [...options.keys()],
    enumDescriptions: Array.from(options.values(), ({ description }) => description),
    ...(usual !== undefined && { default: usual }),
  };
}

/** Meaning, what can be written, and the default. */
export function settingDocumentation(node: JsonSchema): string {
  const parts = [node.description, limits(node), choices(node)];
  return parts.filter((part) => part !== undefined).join('\n\n');
}

function limits(node: JsonSchema): string | undefined {
  const fallback = isPlain(node.default) ? `default: \`${JSON.stringify(node.default)}\`` : undefined;
  const expected =
    choicesOf(node).length > 0 ? besidesWords(node) : node.type === 'object' ? undefined : expectation(node);
  const text = [expected, fallback].filter((part) => part !== undefined).join('; ');
  return text === '' ? undefined : `_${text[0].toUpperCase()}${text.slice(1)}_`;
}

/** What can be written in the place of one of the words, where that is neither a word nor an object. */
function besidesWords(node: JsonSchema): string | undefined {
  const others = optionsOf(node).filter((option) => choicesOf(option).length === 0 && option.type !== 'object');
  return others.length === 0 ? undefined : `${others.map(expectation).join(' or ')}, or one of these`;
}

function choices(node: JsonSchema): string | undefined {
  const all = choicesOf(node);
  if (all.length === 0) return undefined;
  return all.map(({ value, meaning }) => `- \`${value}\`${meaning === undefined ? '' : `: ${meaning}`}`).join('\n');
}

/** True for a setting whose value, or one of its kinds of values, is a path. */
export function isPathSetting(node: JsonSchema): boolean {
  return node.format === 'path' || optionsOf(node).some(({ format }) => format === 'path');
}

/** The kinds of values of a setting that has several. */
export function optionsOf(node: JsonSchema): JsonSchema[] {
  return (node.anyOf as JsonSchema[] | undefined) ?? [];
}

/** A word that can be written, and what it means. */
export interface Choice {
  readonly value: string;
  readonly meaning: string | undefined;
}

/** The words of an enumeration, or those that tell the options of a union apart. */
export function choicesOf(node: JsonSchema): Choice[] {
  const alternatives = (node.anyOf as JsonSchema[] | undefined) ?? [];
  if (alternatives.length > 0 && alternatives.every(({ type }) => type === 'string'))
    return alternatives.flatMap((alternative) => [...choicesOf(alternative), ...examplesOf(alternative)]);
  const meanings = node.enumDescriptions as string[] | undefined;
  if (node.enum) return node.enum.map((value, i) => ({ value: String(value), meaning: meanings?.[i] }));
  const options = discriminatorOf(node)?.options;
  if (options) return Array.from(options, ([value, option]) => ({ value, meaning: option.description }));
  return optionsOf(node).flatMap(choicesOf);
}

/** Some of the words that a pattern allows. */
function examplesOf({ examples, description }: JsonSchema): Choice[] {
  return ((examples as unknown[] | undefined) ?? []).map((value) => ({ value: String(value), meaning: description }));
}

/** A value that can be written as it is: no object, and not absent. */
export function isPlain(value: unknown): value is string | number | boolean {
  return ['string', 'number', 'boolean'].includes(typeof value);
}
