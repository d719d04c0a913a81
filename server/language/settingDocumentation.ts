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
  const { options } = discriminator;
  return {
    enum: [...options.keys()],
    enumDescriptions: Array.from(options.values(), ({ description }) => description),
  };
}

/** Meaning, what can be written, and the default. */
export function settingDocumentation(node: JsonSchema): string {
  const parts = [node.description, limits(node), choices(node)];
  return parts.filter((part) => part !== undefined).join('\n\n');
}

function limits(node: JsonSchema): string | undefined {
  const fallback = isPlain(node.default) ? `default: \`${JSON.stringify(node.default)}\`` : undefined;
  const expected = choicesOf(node).length > 0 || node.type === 'object' ? undefined : expectation(node);
  const text = [expected, fallback].filter((part) => part !== undefined).join('; ');
  return text === '' ? undefined : `_${text[0].toUpperCase()}${text.slice(1)}_`;
}

function choices(node: JsonSchema): string | undefined {
  const all = choicesOf(node);
  if (all.length === 0) return undefined;
  return all.map(({ value, meaning }) => `- \`${value}\`${meaning === undefined ? '' : `: ${meaning}`}`).join('\n');
}

/** A word that can be written, and what it means. */
export interface Choice {
  readonly value: string;
  readonly meaning: string | undefined;
}

/** The words of an enumeration, or those that tell the options of a union apart. */
export function choicesOf(node: JsonSchema): Choice[] {
  const meanings = node.enumDescriptions as string[] | undefined;
  if (node.enum) return node.enum.map((value, i) => ({ value: String(value), meaning: meanings?.[i] }));
  const options = discriminatorOf(node)?.options;
  return Array.from(options ?? [], ([value, option]) => ({ value, meaning: option.description }));
}

/** A value that can be written as it is: no object, and not absent. */
export function isPlain(value: unknown): value is string | number | boolean {
  return ['string', 'number', 'boolean'].includes(typeof value);
}
