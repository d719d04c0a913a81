/** @file The table of tools in docs/agents.md is that of the server: `npm run unit -- FILE -u` writes it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { format } from 'prettier';
import { expect, test } from 'vitest';
import { root } from '../../../scripts/root.js';
import { tools } from '../../../server/mcp/tools/index.ts';

const document = join(root, 'docs', 'agents.md');
const [BEGIN, END] = ['<!-- tools -->', '<!-- /tools -->'];

/** The first sentence of a tool's description, and what it takes. */
function row({ name, effect, description, input }: (typeof tools)[number]): string {
  const [sentence] = description.split(/(?<=\.) (?=[A-Z"])/);
  const takes = Object.keys(input.shape).map((key) => `\`${key}\``);
  return `| \`${name}\` | ${effect} | ${sentence.replaceAll('|', '\\|')} | ${takes.join(', ')} |`;
}

test('The documented tools are those of the server', async () => {
  const text = readFileSync(document, 'utf8');
  const [before, after] = [text.slice(0, text.indexOf(BEGIN)), text.slice(text.indexOf(END) + END.length)];
  const table = ['| tool | what it may do | what it is for | takes |', '| --- | --- | --- | --- |', ...tools.map(row)];
  const written = await format(`${before}${BEGIN}\n\n${table.join('\n')}\n\n${END}${after}`, { parser: 'markdown', printWidth: 120, proseWrap: 'preserve' }); // prettier-ignore
  await expect(written).toMatchFileSnapshot(document);
});

test('Every tool that trains or loads modules can be confirmed, and no other asks to be', () => {
  for (const { name, effect, input } of tools)
    expect(Object.keys(input.shape).includes('confirm'), name).toBe(effect === 'runs code');
});
