/** @file Another compression of the same layers, behind the one at the cursor: what that leaves of the weights is compressed further. */
import { withinCompression } from '../../protocol/experiment/compressions.ts';
import { methodFacts, methodNames } from '../../protocol/experiment/methods/index.ts';
import type { Method } from '../../protocol/experiment/schema.ts';
import { isWithin } from '../../protocol/experiment/settingPath.ts';
import { isMatrix } from '../../compression/targets/targets.ts';
import { keysOf } from '../compressedModel.ts';
import { matricesOf, shortestSide } from '../matrices.ts';
import { compressionAt, readCompressions, type ReadCompression } from '../readCompression.ts';
import { firstRunOf } from '../trainingTimes.ts';
import { compressionText, indented } from './experimentSnippets.ts';
import type { Rewriting, Rewritten } from './rewriting.ts';
import { NoPlaces } from './snippetText.ts';

/** Offered at `"compression"`, at the last entry of a list, and at its method; none where no method goes on with what that leaves. */
export function furtherCompressions(rewritten: Rewritten): Rewriting[] {
  const { document, path } = rewritten;
  const compression = compressionAt(document, path);
  const inner = withinCompression(path)?.inner;
  const isHere = inner && (inner.length === 0 || (inner.length === 1 && inner[0] === 'method'));
  const isLast = compression && isWithin(readCompressions(document).at(-1)?.path ?? [], compression.path);
  if (!compression || !isHere || !isLast || compression.layers.size === 0) return [];
  const { leaves } = methodFacts[compression.method];
  return methodNames
    .filter((method) => methodFacts[method].follows.includes(leaves))
    .flatMap((method) => further(method, compression, rewritten));
}

function further(method: Method, { path, layers }: ReadCompression, rewritten: Rewritten): Rewriting[] {
  const { document, surroundings } = rewritten;
  const { model } = surroundings;
  const range = document.json.rangeOfValue(path);
  if (!range) return [];
  const named = [...layers.keys()].map((name) => {
    const weights = model ? keysOf(model).named(name).filter(isMatrix) : [];
    return { name, ...(weights.length > 0 && { shortestSide: shortestSide(matricesOf(weights)) }) };
  });
  const added = compressionText(method, named, firstRunOf(document, model), new NoPlaces());
  const text = document.text.getText();
  const indent = /(?:^|\n)([ \t]*)[^\n]*$/.exec(text.slice(0, range.start))?.[1] ?? '';
  const inFile = (lines: string) => lines.replaceAll('\n', `\n${indent}`);
  const isInList = path.length > 1;
  const newText = isInList
    ? `${text.slice(range.start, range.end)},\n${indent}${inFile(added)}`
    : inFile(`[\n${indented(`${text.slice(range.start, range.end).replaceAll(`\n${indent}`, '\n')},\n${added}`)}\n]`);
  return [
    { title: `Then ${method} what it leaves of these layers`, edits: [{ range: document.rangeOf(range), newText }] },
  ];
}
