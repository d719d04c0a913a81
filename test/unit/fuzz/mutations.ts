/** @file Ways to make a valid file wrong. All of them follow from the random numbers, so that a case can be repeated. */
import type { Random } from '../../../server/formats/random.ts';

export type Mutation = (content: Buffer, random: Random) => { content: Buffer; what: string };

export function pick<T>(items: readonly T[], random: Random): T {
  return items[random.below(items.length)];
}

/** Changes of bytes, whatever they mean. */
export const bytes: readonly Mutation[] = [
  function flipBits(content, random) {
    const result = Buffer.from(content);
    const count = 1 + random.below(8);
    for (let i = 0; i < count; i++) result[random.below(result.length)] ^= 1 << random.below(8);
    return { content: result, what: `${count} bits flipped` };
  },
  function flipBitsOfHeader(content, random) {
    const result = Buffer.from(content);
    const at = random.below(Math.min(128, result.length));
    result[at] ^= 1 << random.below(8);
    return { content: result, what: `a bit of byte ${at} flipped` };
  },
  function truncate(content, random) {
    const length = random.below(content.length);
    return { content: content.subarray(0, length), what: `cut off at ${length} of ${content.length} bytes` };
  },
  function extend(content, random) {
    const more = Buffer.from(Array.from({ length: 1 + random.below(64) }, () => random.below(256)));
    return { content: Buffer.concat([content, more]), what: `${more.length} bytes too many` };
  },
  function lie(content, random) {
    const result = Buffer.from(content);
    const size = pick([1, 2, 4, 8], random);
    const at = random.below(Math.max(1, Math.min(256, result.length - size)));
    const filler = pick([0, 1, 0x7f, 0x80, 0xff], random);
    result.fill(filler, at, at + size);
    return { content: result, what: `bytes ${at} to ${at + size - 1} are ${filler}` };
  },
  function repeat(content, random) {
    const begin = random.below(content.length);
    const end = begin + random.below(content.length - begin + 1);
    const part = content.subarray(begin, end);
    return {
      content: Buffer.concat([content.subarray(0, end), part, content.subarray(end)]),
      what: `bytes ${begin} to ${end} twice`,
    };
  },
  function remove(content, random) {
    const begin = random.below(content.length);
    const end = begin + random.below(content.length - begin + 1);
    return {
      content: Buffer.concat([content.subarray(0, begin), content.subarray(end)]),
      what: `bytes ${begin} to ${end} missing`,
    };
  },
  () => ({ content: Buffer.alloc(0), what: 'empty' }),
  (content) => ({ content: Buffer.concat([Buffer.from('<!DOCTYPE html>'), content]), what: 'a web page' }),
];

/** Changes of a text. */
export const text: readonly Mutation[] = [
  (content) => ({ content: Buffer.from(`\uFEFF${content.toString()}`, 'utf16le'), what: 'UTF-16 with its mark' }),
  (content) => ({ content: Buffer.from(content.toString(), 'utf16le'), what: 'UTF-16 without its mark' }),
  (content) => ({ content: Buffer.from(`\uFEFF${content.toString()}`), what: 'a byte order mark' }),
  (content) => ({ content: Buffer.from(content.toString().replaceAll('\n', '\r')), what: 'CR in place of LF' }),
  (content) => ({ content: Buffer.from(content.toString().replaceAll('\n', ' ')), what: 'a single line' }),
  (content) => ({ content: Buffer.concat([content, Buffer.alloc(100_000, 'x')]), what: 'a long word' }),
  function zero(content, random) {
    const at = random.below(content.length);
    return {
      content: Buffer.concat([content.subarray(0, at), Buffer.of(0), content.subarray(at)]),
      what: `NUL at ${at}`,
    };
  },
];

const nested = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;
const nestedObjects = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;

/** Values in JSON that a reader does not expect, as texts: some cannot be written by JSON.stringify. */
const values: readonly string[] = [
  ...[
    'null',
    'true',
    'false',
    '0',
    '-0',
    '-1',
    '0.5',
    '1e9',
    '4294967296',
    '9007199254740993',
    '1e308',
    '-1e308',
    '1e999',
  ],
  ...['""', '"x"', '"\\u0000"', '"\\ud800"', '"__proto__"', '"constructor"', '"1"', '[]', '{}', '[null]', '{"a":null}'],
  ...[
    '"../../../../../etc/passwd"',
    '"/etc/passwd"',
    '"/dev/zero"',
    '"pipe"',
    '"."',
    '".."',
    '"/"',
    '"\\\\\\\\host\\\\share"',
  ],
  ...[
    '{"__proto__":{"polluted":true}}',
    '{"constructor":{"prototype":{"polluted":true}}}',
    '[0,-1,1e10]',
    '["../../x"]',
  ],
  `"${'x'.repeat(100_000)}"`,
  `[${'0,'.repeat(99_999)}0]`,
  nested(50),
  nested(20_000),
  nestedObjects(20_000),
];

/** Paths that lead out of a folder, or to what is no regular file. `{{folder}}` is the folder of the case. */
const paths = [
  ...['/etc/passwd', '../../../../../etc/passwd', '/dev/zero', '{{folder}}/../x', '{{folder}}', '.', '', 'nowhere'],
  ...['pipe', './pipe', '{{folder}}/pipe', '\\\\host\\share\\x', 'file:///dev/zero', 'C:\\x', 'x\u0000y'],
];

/** A value by its place: the keys that lead to it. */
interface Leaf {
  readonly path: readonly (string | number)[];
  readonly value: unknown;
}

/** Every value in a JSON value, the outer ones first. */
function valuesIn(value: unknown, path: Leaf['path'] = []): Leaf[] {
  if (typeof value !== 'object' || value === null) return [{ path, value }];
  const entries = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return [{ path, value }, ...entries.flatMap(([key, inner]) => valuesIn(inner, [...path, key]))];
}

/** The JSON text with the text of the value at `path` replaced. */
function withText(document: unknown, path: Leaf['path'], replacement: string): string {
  const mark = '\u0001replaced\u0001';
  const replaced = (value: unknown, rest: Leaf['path']): unknown => {
    if (rest.length === 0) return mark;
    const copy: unknown[] | Record<string, unknown> = Array.isArray(value)
      ? [...(value as unknown[])]
      : { ...(value as object) };
    (copy as Record<string | number, unknown>)[rest[0]] = replaced(
      (copy as Record<string | number, unknown>)[rest[0]],
      rest.slice(1),
    );
    return copy;
  };
  return JSON.stringify(replaced(document, path)).split(JSON.stringify(mark)).join(replacement);
}

/** A change of the values of a JSON text. */
type JsonChange = (document: unknown, random: Random) => { text: string; what: string };

const jsonChanges: readonly JsonChange[] = [
  function replace(document, random) {
    const { path } = pick(valuesIn(document), random);
    const value = pick(values, random);
    return { text: withText(document, path, value), what: `${path.join('.') || 'all'} is ${value.slice(0, 40)}` };
  },
  function swap(document, random) {
    const leaves = valuesIn(document);
    const [a, b] = [pick(leaves, random), pick(leaves, random)];
    const text = withText(document, a.path, JSON.stringify(b.value));
    return { text, what: `${a.path.join('.')} is what ${b.path.join('.') || 'all'} is` };
  },
  function swapTexts(document, random) {
    const leaves = valuesIn(document).filter(({ value }) => typeof value === 'string');
    if (leaves.length === 0) return { text: 'null', what: 'null' };
    const [a, b] = [pick(leaves, random), pick(leaves, random)];
    const text = withText(document, a.path, JSON.stringify(b.value));
    return { text, what: `${a.path.join('.')} is what ${b.path.join('.')} is, ${String(b.value).slice(0, 40)}` };
  },
  function changePath(document, random) {
    const leaves = valuesIn(document).filter(
      ({ path, value }) => typeof value === 'string' && /path|file|experiment|endpoint|model$/.test(path.join('.')),
    );
    if (leaves.length === 0) return { text: '""', what: 'empty' };
    const { path } = pick(leaves, random);
    const value = pick(paths, random);
    return { text: withText(document, path, JSON.stringify(value)), what: `${path.join('.')} is ${value}` };
  },
  function changeNumber(document, random) {
    const leaves = valuesIn(document).filter(({ value }) => typeof value === 'number');
    if (leaves.length === 0) return { text: '0', what: '0' };
    const { path, value } = pick(leaves, random);
    const number = pick(
      [-1, 0, 1, 2, 0.5, 1e6, 1e9, 1e15, 1e300, -(value as number), (value as number) + 1, 2 ** 53],
      random,
    );
    return { text: withText(document, path, String(number)), what: `${path.join('.')} is ${number}` };
  },
  function remove(document, random) {
    const inner = valuesIn(document).filter(({ path }) => path.length > 0);
    if (inner.length === 0) return { text: '', what: 'empty' };
    const { path } = pick(inner, random);
    const text = withText(document, path, '\u0002');
    const key = JSON.stringify(String(path.at(-1)));
    // With its key and one comma.
    const gone = text
      .replace(new RegExp(`(?:${key.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')}:)?\\u0002,?`), '')
      .replace(/,([\]}])/, '$1');
    return { text: gone, what: `without ${path.join('.')}` };
  },
  function duplicate(document, random) {
    const objects = valuesIn(document).filter(
      ({ value }) =>
        typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0,
    );
    if (objects.length === 0) return { text: '{}', what: '{}' };
    const { path, value } = pick(objects, random);
    const key = pick(Object.keys(value as object), random);
    const text = JSON.stringify(value).replace(/^\{/, `{${JSON.stringify(key)}:${pick(values.slice(0, 40), random)},`);
    return { text: withText(document, path, text), what: `${[...path, key].join('.')} twice` };
  },
  function unknownKeys(document, random) {
    const count = pick([1, 20_000], random);
    const more = Array.from({ length: count }, (_, i) => `"u${i}":${i}`).join(',');
    return { text: JSON.stringify(document).replace(/^\{/, `{${more},`), what: `${count} unknown keys` };
  },
];

/** Changes of the values of a JSON text; two in three cases. The rest changes its bytes. */
export const json: readonly Mutation[] = [
  ...jsonChanges.flatMap((change): Mutation[] =>
    Array.from({ length: 3 }, () => (content: Buffer, random: Random) => {
      const { text: changed, what } = change(JSON.parse(content.toString()), random);
      return { content: Buffer.from(changed), what };
    }),
  ),
  ...text,
  ...bytes,
  () => ({ content: Buffer.from(nested(20_000)), what: 'brackets 20,000 deep' }),
  () => ({ content: Buffer.from(nestedObjects(20_000)), what: 'objects 20,000 deep' }),
];

/** Changes of one line of many that are each a JSON text. */
export const jsonLines: readonly Mutation[] = [
  ...jsonChanges.flatMap((change): Mutation[] =>
    Array.from({ length: 3 }, () => (content: Buffer, random: Random) => {
      const lines = content.toString().trimEnd().split('\n');
      const line = random.below(lines.length);
      const { text: changed, what } = change(JSON.parse(lines[line]), random);
      lines[line] = changed;
      return { content: Buffer.from(`${lines.join('\n')}\n`), what: `line ${line}: ${what}` };
    }),
  ),
  ...text,
  ...bytes,
];
