import { describe, expect, test } from 'vitest';
import {
  commandLink,
  markdownCode,
  markdownLines,
  markdownText,
  withoutLinks,
} from '../../../server/protocol/markdown.ts';
import { activeMarkdown, HARMFUL, hostileNames } from './activeMarkdown.ts';

describe.each(hostileNames)('%j', (name) => {
  test('is text, in one line, wherever it stands', () => {
    for (const markdown of [
      markdownText(name),
      markdownCode(name),
      markdownLines(name),
      commandLink(name, 'ours', []),
    ]) {
      const rest = activeMarkdown(markdown).replace(/^\[(.*)\]\(command:ours\?%5B%5D\)$/, '$1');
      expect(rest).not.toMatch(HARMFUL);
    }
    expect(markdownText(name)).not.toContain('\n');
    expect(markdownCode(name)).not.toContain('\n');
    expect(markdownText(name)).not.toMatch(/(?<!\\)\|/);
  });

  test('is nothing to click in a message of the editor', () => {
    // The expression by which VS Code finds links in messages.
    const link = /\[([^\]]+)\]\(((?:https?:\/\/|command:|file:)[^)\s]+)(?: (["'])(.+?)(\3))?\)/i;
    expect(withoutLinks(`${name} failed: [Mend it](command:x)`)).not.toMatch(link);
  });
});

test('what was checked would be found: the names are harmful as they are', () => {
  expect(activeMarkdown('![x](https://evil.example)')).toMatch(HARMFUL);
  expect(activeMarkdown('`a`![](x)`')).toMatch(HARMFUL);
  expect(activeMarkdown('``a`![](x)``')).not.toMatch(HARMFUL);
  expect(activeMarkdown('\\!\\[')).not.toMatch(HARMFUL);
});

test('usual names stay as they are', () => {
  expect(markdownCode('encoder/fc1*')).toBe('`encoder/fc1*`');
  expect(markdownCode('')).toBe('`  `');
  expect(markdownText('fc1/kernel')).toBe('fc1/kernel');
  expect(markdownLines('a\nb')).toBe('a  \nb');
  expect(withoutLinks('layers[0] (fc1)')).toBe('layers[0] (fc1)');
});

test('long names are cut', () => {
  expect(markdownText('a'.repeat(1000))).toBe(`${'a'.repeat(199)}…`);
  expect(markdownLines('a'.repeat(1e6)).length).toBeLessThan(30_000);
});

test('the arguments of a link do not end it', () => {
  const link = commandLink('Open', 'ours', ['/runs/x)![](y)', '(']);
  expect(link.match(/[()]/g)).toEqual(['(', ')']);
  const [, args] = /\?(.*)\)$/.exec(link) ?? [];
  expect(JSON.parse(decodeURIComponent(args))).toEqual(['/runs/x)![](y)', '(']);
});
