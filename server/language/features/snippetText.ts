/** @file Text of a completion with places to fill in, made from the schema of a setting. */
import { discriminatorOf } from '../../protocol/experiment/expectation.ts';
import type { JsonSchema } from '../../protocol/experiment/experimentJsonSchema.ts';
import { isPlain } from '../settingDocumentation.ts';

/** Counts the places of one snippet. */
export class Places {
  #count = 0;

  /** `${1:text}`; in quotes where it is a string. */
  value(value: unknown): string {
    return typeof value === 'string' ? `"${this.text(value)}"` : this.text(JSON.stringify(value));
  }

  text(text: string): string {
    return `\${${++this.#count}:${escaped(text)}}`;
  }

  empty(): string {
    return `$${++this.#count}`;
  }

  choice(values: readonly string[]): string {
    return `\${${++this.#count}|${values.map((value) => escaped(value).replace(/[,|]/g, '\\$&')).join(',')}|}`;
  }
}

/** For a text that is no snippet: values stand in it as they are, of words the first. */
export class NoPlaces extends Places {
  override text(text: string): string {
    return text;
  }

  override empty(): string {
    return '';
  }

  override choice([first]: readonly string[]): string {
    return first;
  }
}

/** Text that stands in a snippet as it is. */
export function escaped(text: string): string {
  return text.replace(/[\\$}]/g, '\\$&');
}

/** A value to begin with: the default, an example, or the settings that must be there. */
export function valueSnippet(node: JsonSchema, places: Places): string {
  if (node.const !== undefined) return JSON.stringify(node.const);
  const words = node.type === 'boolean' ? [true, false] : node.enum;
  if (words) {
    const first = words.find((word) => word === node.default);
    const ordered = first === undefined ? words : [first, ...words.filter((word) => word !== first)];
    return places.choice(ordered.map((word) => JSON.stringify(word)));
  }
  const list = Array.isArray(node.default) ? (node.default as unknown[]) : undefined;
  const usual = isPlain(node.default) ? node.default : ((node.examples as unknown[] | undefined)?.[0] ?? list);
  if (usual !== undefined) return exampleSnippet(usual, places);
  const options = node.anyOf as JsonSchema[] | undefined;
  if (options) return valueSnippet(options[0], places);
  const discriminator = discriminatorOf(node);
  if (discriminator) return `{ ${JSON.stringify(discriminator.key)}: "${places.empty()}" }`;
  if (node.type === 'string') return `"${places.empty()}"`;
  if (node.type === 'array') return `[${places.empty()}]`;
  if (node.type !== 'object') return places.empty();
  const required = requiredSnippet(node, places);
  return `{ ${required === '' ? places.empty() : required} }`;
}

/** The settings of an object that must be there, without its braces. */
export function requiredSnippet(node: JsonSchema, places: Places): string {
  return Object.entries(node.properties ?? {})
    .flatMap(([key, inner]) => {
      if (!node.required?.includes(key) || typeof inner !== 'object') return [];
      return [`${JSON.stringify(key)}: ${valueSnippet(inner, places)}`];
    })
    .join(', ');
}

/** A value in one line, with a place for each of its numbers and words, and one in an object or a list that is empty. */
export function exampleSnippet(value: unknown, places: Places): string {
  if (Array.isArray(value))
    return `[${within(
      value.map((inner: unknown) => exampleSnippet(inner, places)),
      places,
    )}]`;
  if (typeof value !== 'object' || value === null) return places.value(value);
  const entries = Object.entries(value).map(
    ([key, inner]) => `${JSON.stringify(key)}: ${exampleSnippet(inner, places)}`,
  );
  return `{ ${within(entries, places)} }`;
}

function within(entries: readonly string[], places: Places): string {
  return entries.length === 0 ? places.empty() : entries.join(', ');
}
