/** @file What a JSON schema asks for, in words, for error messages: "a number in [0, 1)", "one of 'greedy' or 'refined'". */
import { isRecord } from '../record.ts';
import type { JsonSchema } from './experimentJsonSchema.ts';
import { valueAt, type SettingPath } from './settingPath.ts';

/**
 * The part of `schema` that describes the value at `path` in `document`. Where the schema is a union, the option is
 * chosen by the document's discriminator; undefined where the path leads out of the schema.
 */
export function schemaAt(schema: JsonSchema, document: unknown, path: SettingPath): JsonSchema | undefined {
  let node: JsonSchema | undefined = schema;
  let value = document;
  for (const key of path) {
    if (node === undefined) return undefined;
    node = child(node, value, key);
    value = valueAt(value, [key]);
  }
  return node;
}

/** The keys that an object at this place can have; empty where any key can be. */
export function knownKeys(schema: JsonSchema, document: unknown, path: SettingPath): string[] {
  const node = schemaAt(schema, document, path);
  const option = node && optionOf(node, valueAt(document, path));
  return Object.keys(option?.properties ?? {}).filter((key) => !key.startsWith('$'));
}

/** The strings that the schema allows, when it allows nothing but certain strings. */
export function allowedStrings(node: JsonSchema): string[] {
  const options = node.anyOf as JsonSchema[] | undefined;
  if (options) return options.flatMap(allowedStrings);
  return [...(node.enum ?? []), ...(node.const === undefined ? [] : [node.const])].filter(
    (value) => typeof value === 'string',
  );
}

/** What the schema asks for, as a noun phrase. */
export function expectation(node: JsonSchema): string {
  const options = node.anyOf as JsonSchema[] | undefined;
  if (options) return [...new Set(options.map(expectation))].join(' or ');
  const texts = allowedStrings(node);
  if (texts.length > 0) return listed(texts);
  const discriminator = discriminatorOf(node);
  if (discriminator) return `an object whose "${discriminator.key}" is ${listed([...discriminator.options.keys()])}`;
  if (node.type === 'integer') return integer(node);
  if (node.type === 'number') return number(node);
  if (node.type === 'string' && node.title !== undefined) return node.title;
  if (node.type === 'string') return node.minLength ? 'a non-empty string' : 'a string';
  if (node.type === 'boolean') return 'true or false';
  return node.type === 'array' ? list(node) : 'an object';
}

/** `'a', 'b' or 'c'` */
function listed(texts: string[]): string {
  const quoted = texts.map((text) => `'${text}'`);
  const last = quoted.pop();
  return quoted.length === 0 ? `${last}` : `${quoted.join(', ')} or ${last}`;
}

/** `a list of 2 numbers`, `a list of 1 number or more` */
function list({ items, minItems, maxItems }: JsonSchema): string {
  const [member, least, most] = Array.isArray(items)
    ? [items[0], items.length, items.length]
    : [items, minItems ?? 0, maxItems];
  if (!isRecord(member) || (member.type !== 'number' && member.type !== 'integer'))
    return least === 1 ? 'a non-empty list' : 'a list';
  if (most === undefined) return `a list of ${least} ${least === 1 ? 'number' : 'numbers'} or more`;
  return `a list of ${least === most ? least : `${least} to ${most}`} numbers`;
}

function integer(node: JsonSchema): string {
  const lowest = node.exclusiveMinimum === undefined ? node.minimum : Number(node.exclusiveMinimum) + 1;
  const minimum = lowest !== undefined && lowest > Number.MIN_SAFE_INTEGER ? lowest : undefined;
  const maximum = node.maximum !== undefined && node.maximum < Number.MAX_SAFE_INTEGER ? node.maximum : undefined;
  if (minimum !== undefined && maximum !== undefined) return `an integer from ${minimum} to ${maximum}`;
  if (minimum === 1) return 'a positive integer';
  if (minimum !== undefined) return `an integer of at least ${minimum}`;
  return 'an integer';
}

function number(node: JsonSchema): string {
  const low = node.minimum ?? node.exclusiveMinimum;
  const high = node.maximum ?? node.exclusiveMaximum;
  if (low === undefined || typeof low === 'boolean') return 'a number';
  if (high === undefined || typeof high === 'boolean') {
    if (node.minimum !== undefined) return `a number of at least ${low}`;
    return low === 0 ? 'a positive number' : `a number above ${low}`;
  }
  return `a number in ${node.minimum === undefined ? '(' : '['}${low}, ${high}${node.maximum === undefined ? ')' : ']'}`;
}

function child(node: JsonSchema, value: unknown, key: string | number): JsonSchema | undefined {
  const option = optionOf(node, value);
  if (option === undefined) {
    const discriminator = discriminatorOf(alternativeOf(node, value) ?? node);
    return discriminator?.key === key ? { enum: [...discriminator.options.keys()] } : undefined;
  }
  // A list of fixed length has a schema for each place.
  if (option.type === 'array')
    return (Array.isArray(option.items) ? option.items[Number(key)] : option.items) as JsonSchema;
  const properties = option.properties as Record<string, JsonSchema> | undefined;
  if (properties && Object.hasOwn(properties, key)) return properties[key];
  return typeof option.additionalProperties === 'object' ? option.additionalProperties : undefined;
}

/**
 * The option of a union that `value` chooses, by its discriminator or as an object; where the discriminator has a default, that one's for
 * an object without it. The node itself where it is no union.
 */
export function optionOf(node: JsonSchema, value: unknown): JsonSchema | undefined {
  const alternative = alternativeOf(node, value);
  const discriminator = alternative && discriminatorOf(alternative);
  if (!discriminator) return alternative;
  if (!isRecord(value)) return undefined;
  const chosen = Object.hasOwn(value, discriminator.key) ? value[discriminator.key] : discriminator.usual;
  return typeof chosen === 'string' ? discriminator.options.get(chosen) : undefined;
}

/**
 * What a value is meant as, where it may be an object, a list, or something simple; of several objects the one that knows most of its
 * keys. The node itself where there is no such choice.
 */
export function alternativeOf(node: JsonSchema, value: unknown): JsonSchema | undefined {
  const alternatives = node.anyOf as JsonSchema[] | undefined;
  if (!alternatives) return node;
  const known = ({ properties = {} }: JsonSchema) =>
    isRecord(value) ? Object.keys(value).filter((key) => Object.hasOwn(properties, key)).length : 0;
  return alternatives
    .filter((alternative) => kindOf(alternative) === kindOfValue(value))
    .toSorted((a, b) => known(b) - known(a))
    .at(0);
}

type Kind = 'object' | 'list' | 'other';

function kindOf(node: JsonSchema): Kind {
  if (node.type === 'array') return 'list';
  return node.type === 'object' || node.oneOf !== undefined ? 'object' : 'other';
}

function kindOfValue(value: unknown): Kind {
  if (Array.isArray(value)) return 'list';
  return isRecord(value) ? 'object' : 'other';
}

/** What tells the options of a union apart. */
interface Discriminator {
  /** The key that has a constant in every option. */
  readonly key: string;
  /** The options by that constant. */
  readonly options: ReadonlyMap<string, JsonSchema>;
  /** The constant of an object that has no such key; undefined where every object needs it. */
  readonly usual: string | undefined;
}

export function discriminatorOf(node: JsonSchema): Discriminator | undefined {
  const options = node.oneOf as JsonSchema[] | undefined;
  if (!options) return undefined;
  const keyOf = (option: JsonSchema, key: string) => option.properties?.[key] as JsonSchema | undefined;
  const key = Object.keys(options[0].properties ?? {}).find((name) =>
    options.every((option) => typeof keyOf(option, name)?.const === 'string'),
  );
  if (key === undefined) return undefined;
  const constants = options.map((option) => keyOf(option, key)!);
  return {
    key,
    options: new Map(options.map((option, i) => [String(constants[i].const), option])),
    usual: constants.find((constant) => constant.default !== undefined)?.default as string | undefined,
  };
}
