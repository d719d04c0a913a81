/**
 * @file Words of a file in what VS Code draws as Markdown: hovers, documentation, tooltips, messages. Names and keys may come with
 * somebody else's project: they are text, and never a picture that is loaded, a link, an icon or a heading.
 */
import { shortLine } from './printable.ts';

/** Characters of a name or a key that are shown. */
const LONGEST = 200;

/** A text that is drawn as it is, in a paragraph or a table. */
export function markdownText(text: string, longest = LONGEST): string {
  return shortLine(text, longest).replace(/[\\`*_{}[\]()#+.!|<>~$&:@^-]/g, '\\$&');
}

/** Characters of a message that are shown, and its lines. */
const LONGEST_LINE = 1000;
const MOST_LINES = 20;

/** A message of several lines, drawn as it is. */
export function markdownLines(text: string): string {
  const lines = text.slice(0, LONGEST_LINE * MOST_LINES).split('\n', MOST_LINES);
  return lines.map((line) => markdownText(line, LONGEST_LINE)).join('  \n');
}

/** A text that is drawn as it is, as code; not in a table, whose cells end at a bar. */
export function markdownCode(text: string): string {
  const line = shortLine(text, LONGEST);
  const longest = Math.max(0, ...(line.match(/`+/g) ?? []).map(({ length }) => length));
  const fence = '`'.repeat(longest + 1);
  // Markdown takes away a space at both ends of code that has one there.
  const space = /^[` ]|[` ]$/.test(line) || line === '' ? ' ' : '';
  return fence + space + line + space + fence;
}

/** A link that runs a command of ours with arguments. @param tooltip words of ours */
export function commandLink(title: string, command: string, args: readonly string[], tooltip?: string): string {
  // Parentheses would end the link.
  const encoded = encodeURIComponent(JSON.stringify(args)).replaceAll('(', '%28').replaceAll(')', '%29');
  return `[${markdownText(title)}](command:${command}?${encoded}${tooltip === undefined ? '' : ` "${tooltip}"`})`;
}

/** A message of the editor, in which `[TEXT](command:NAME)` would be a link that runs any command. */
export function withoutLinks(message: string): string {
  return message.replaceAll('](', '] (');
}
