/** What a renderer of Markdown would make more of than text. */

/**
 * The text of a Markdown document without what is code (CommonMark 6.1: from a run of backticks to the next run of the same
 * length) and without characters that a backslash makes text (2.4).
 */
export function activeMarkdown(markdown: string): string {
  let rest = '';
  for (let i = 0; i < markdown.length;) {
    if (markdown[i] === '\\' && /[!-/:-@[-`{-~]/.test(markdown[i + 1] ?? '')) {
      rest += ' ';
      i += 2;
      continue;
    }
    const run = /^`+/.exec(markdown.slice(i))?.[0] ?? '';
    const end = run === '' ? -1 : endOfCode(markdown, i + run.length, run.length);
    if (end >= 0) {
      rest += ' ';
      i = end;
    } else {
      rest += markdown.slice(i, i + Math.max(1, run.length));
      i += Math.max(1, run.length);
    }
  }
  return rest;
}

/** Code ends in its paragraph. */
function endOfCode(markdown: string, from: number, length: number): number {
  for (const match of markdown.slice(from).matchAll(/`+|\n\s*\n/g)) {
    if (match[0].startsWith('\n')) return -1;
    if (match[0].length === length) return from + match.index + length;
  }
  return -1;
}

/** Names that somebody who means harm gives to what a file can name. */
export const hostileNames: readonly string[] = [
  '![x](https://evil.example/beacon.png)',
  'fc1`![](https://evil.example/b.png)[Run](command:workbench.action.terminal.new)`',
  '``[Run](command:x)``',
  '`',
  'a\n\n![](https://evil.example/b.png)',
  'a | b |\n| --- | --- |\n| <img src="https://evil.example/b.png"> |',
  '<img src=https://evil.example/b.png>',
  '$(trash)](command:x) [y',
  'https://evil.example/?a=1',
  'www.evil.example',
  'me@evil.example',
  '\\![](https://evil.example/b.png)',
  '\\',
  '**bold** _it_ ~~gone~~',
  '&lt;b&gt;',
  '[x]: https://evil.example',
  '\u202Egnp.b',
];

/** Nothing but text, tables, and bold and italic type of ours. */
export const HARMFUL = /!\[|\]\(|\]:|<\w|\$\(|https?:|www\.|\w@\w|&\w+;|~~|[\u0000-\u0009\u000b-\u001f\u202e]/;
