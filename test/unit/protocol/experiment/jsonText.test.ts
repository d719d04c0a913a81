import { describe, expect, test } from 'vitest';
import { JsonText } from '../../../../server/protocol/experiment/jsonText.ts';

/** The text without the setting `foo`. */
function withoutFoo(text: string): string {
  const json = new JsonText(text);
  const key = text.indexOf('"foo"');
  return json.rangesToRemove(key).reduceRight((now, { start, end }) => now.slice(0, start) + now.slice(end), text);
}

describe('the removal of a setting', () => {
  test.each([
    ['the only one', '{ "foo": 1 }', '{  }'],
    ['the first', '{ "foo": 1, "b": 2 }', '{ "b": 2 }'],
    ['one in the middle', '{ "a": 1, "foo": 1, "b": 2 }', '{ "a": 1, "b": 2 }'],
    ['the last', '{ "a": 1, "foo": 1 }', '{ "a": 1 }'],
    ['the last, with a comma behind it', '{ "a": 1, "foo": 1, }', '{ "a": 1, }'],
    ['one of a line', '{\n  "a": 1,\n  "foo": 1,\n  "b": 2\n}', '{\n  "a": 1,\n  "b": 2\n}'],
    ['the last line', '{\n  "a": 1,\n  "foo": 1\n}', '{\n  "a": 1\n}'],
    ['the last line, under Windows', '{\r\n  "a": 1,\r\n  "foo": 1\r\n}', '{\r\n  "a": 1\r\n}'],
  ])('of %s takes its comma along, and its line', (_, text, expected) => {
    expect(withoutFoo(text)).toBe(expected);
  });

  test.each([
    ['of the line before', '{\n  "a": 1, // one\n  "foo": 1\n}', '{\n  "a": 1 // one\n}'],
    ['of the line before, under Windows', '{\r\n  "a": 1, // one\r\n  "foo": 1\r\n}', '{\r\n  "a": 1 // one\r\n}'],
    ['before the comma', '{\n  "a": 1 /* one, two */,\n  "foo": 1\n}', '{\n  "a": 1 /* one, two */\n}'],
    ['on a line of its own', '{\n  "a": 1,\n  // more\n  "foo": 1\n}', '{\n  "a": 1\n  // more\n}'],
    ['before a brace', '{\n  "a": 1, // one\n  "foo": 1 }', '{\n  "a": 1 // one\n   }'],
    ['behind it', '{\n  "a": 1, // one\n  "foo": 1 // two\n}', '{\n  "a": 1 // one\n   // two\n}'],
    ['behind its comma', '{\n  "foo": 1, // two\n  "b": 2\n}', '{\n  // two\n  "b": 2\n}'],
    [
      'of the line before one in the middle',
      '{\n  "a": 1, // one\n  "foo": 1,\n  "b": 2\n}',
      '{\n  "a": 1, // one\n  "b": 2\n}',
    ],
  ])('keeps a comment %s', (_, text, expected) => {
    const after = withoutFoo(text);
    expect(after).toBe(expected);
    expect(new JsonText(after).problems).toEqual([]);
  });

  test('takes a comment between the setting and its comma along', () => {
    expect(withoutFoo('{ "foo": 1 /* c */, "b": 2 }')).toBe('{ "b": 2 }');
    expect(withoutFoo('{\n  "foo": 1 // c\n  , "b": 2\n}')).toBe('{\n  "b": 2\n}');
  });

  test('leaves JSON where a comma is missing', () => {
    expect(withoutFoo('{ "a": 1 "foo": 1 }')).toBe('{ "a": 1 }');
  });
});
