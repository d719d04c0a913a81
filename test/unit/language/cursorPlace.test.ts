import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cursorPlace } from '../../../server/language/cursorPlace.ts';

/** The place of `|` in short: kind, path, what is replaced, what follows, and what stands before a missing comma. */
function place(marked: string): string | undefined {
  const offset = marked.indexOf('|');
  const text = marked.slice(0, offset) + marked.slice(offset + 1);
  const found = cursorPlace(text, offset);
  if (!found) return undefined;
  const { kind, path, range, next, missingComma } = found;
  const comma = missingComma === undefined ? '' : ` comma after ${text.slice(missingComma - 1, missingComma)}`;
  return `${kind} ${path.join('.')} [${text.slice(range.start, range.end)}] ${next}${comma}`;
}

test.each([
  ['|', 'value  [] other'],
  ['// only a comment\n|', 'value  [] other'],
  ['pru|', 'value  [pru] other'],
  ['{|}', 'key  [] other'],
  ['{ "a": 1,\n |\n}', 'key  [] other'],
  ['{ "a": 1,\n met|\n}', 'key  [met] other'],
  ['{ "a": 1,\n "met|\n}', 'key  ["met] other'],
  ['{ "a": 1,\n "met|": 2 }', 'key  ["met"] colon'],
  ['{ | "b": 2 }', 'key  [] entry'],
  ['{ "a": 1\n |\n}', 'key  [] other comma after 1'],
  ['{ "a": {}\n "b|"\n}', 'key  ["b"] other comma after }'],
  ['{ "a": {}, |, "b": 2 }', 'key  [] other'],
  ['{ "a": |}', 'value a [] other'],
  ['{ "a": |\n "b": 1 }', 'value a [] entry'],
  ['{ "a": tr|ue }', 'value a [true] other'],
  ['{ "a": 12| }', 'value a [12] other'],
  ['{ "a": "x|yz" }', 'value a ["xyz"] other'],
  ['{ "a": "x|', 'value a ["x] other'],
  ['{ "a": "x|, "b": 2 }', 'value a ["x, "] entry'],
  ['{ "a": { "b": 1, |', 'key a [] other'],
  ['{ "a": { "b": 1 }, "c": { "d": |', 'value c.d [] other'],
  ['{ "a": [1, |] }', 'value a.1 [] other'],
  ['{ "a": [{ | }] }', 'key a.0 [] other'],
  ['{ "a": 1, /* x */ | }', 'key  [] other'],
  ['{ "a": |12 }', 'value a [12] other'],
  ['{ "a": |"xyz", "b": 1 }', 'value a ["xyz"] other'],
  ['{ "a": | true\n "b": 1 }', 'value a [ true] entry'],
  ['{ "a": |"xyz', 'value a [] entry'],
  ['{ |"a": 12 }', 'key  [] entry'],
  ['{ "a": [|12] }', 'value a.0 [] entry'],
  ['{ "a": |{ "b": 1 } }', undefined],
  ['{ "a": | [1] }', undefined],
  ['{ "a": |\n  12 }', undefined],
  ['{ "a": | /* x */ 12 }', undefined],
  ['|{ "a": 1 }', undefined],
  ['// A comment\n|\n{ "a": 1 }', undefined],
  ['{ "a": 1, // |\n}', undefined],
  ['{ /* | */ }', undefined],
  ['{ /* |', undefined],
  ['{ "a": 1 | }', undefined],
  ['{ "a" | }', undefined],
  ['{ "a": "x"| }', undefined],
  ['{ "a": 1 } |', undefined],
])('%s', (marked, expected) => {
  expect(place(marked)).toBe(expected);
});

test('any text has a place or none, and what is replaced is around the cursor', () => {
  const text = fc.string({ unit: fc.constantFrom(...'{}[]",:/*\\\n a1'), maxLength: 40 });
  fc.assert(
    fc.property(text, fc.nat(40), (some, at) => {
      const offset = Math.min(at, some.length);
      const found = cursorPlace(some, offset);
      if (found) expect([found.range.start <= offset, offset <= found.range.end]).toEqual([true, true]);
    }),
  );
});
