import { readFileSync, readdirSync } from 'node:fs';
import { join, sep } from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';

/** Everything that the extension shows, found in its source. `npx vitest run FILE -u` writes the bundle for translators. */

const root = join(import.meta.dirname, '../../..');
const bundle = join(root, 'l10n', 'bundle.l10n.json');

/** Words of a language, as against the names of settings and files. */
const WORDS = /\p{L}{2,} \p{L}{2,}/u;
/** Files whose texts are documents, in English like the language that they are in. */
const DOCUMENTS = new Set([
  'commands/copyDiagnostics.ts', // A bug report.
  'dashboard/pageHtml.ts', // HTML.
  'dashboard/translationBlock.ts', // HTML.
  'newExperiment/experimentText.ts', // Experiment files and their comments.
]);
/** Calls whose texts are for programs and logs. */
const SILENT = /^(?:(?:this\.#)?(?:services\.)?log\.|l10n\.t$|commands\.|Error$)/;

interface Strings {
  readonly translated: Set<string>;
  /** `file:line text` of those that bypass translation. */
  readonly bypassing: string[];
}

function stringsOf(name: string, { translated, bypassing }: Strings): void {
  const file = `extension/${name}`;
  const isDocument = DOCUMENTS.has(name);
  const source = ts.createSourceFile(file, readFileSync(join(root, file), 'utf8'), ts.ScriptTarget.Latest, true);
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && node.expression.getText() === 'l10n.t') {
      const [message] = node.arguments;
      if (ts.isStringLiteralLike(message)) translated.add(message.text);
      else bypassing.push(`${place(source, node)} l10n.t of what is no literal`);
      node.arguments.slice(1).forEach(visit);
      return;
    }
    if (ts.isCallExpression(node) || ts.isNewExpression(node)) {
      if (SILENT.test(node.expression.getText())) return;
    }
    if (ts.isImportDeclaration(node) || ts.isTypeNode(node)) return;
    const isText = ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node);
    if (isText && !isDocument && WORDS.test(node.text)) bypassing.push(`${place(source, node)} ${node.text}`);
    ts.forEachChild(node, visit);
  };
  visit(source);
}

function place(source: ts.SourceFile, node: ts.Node): string {
  return `${source.fileName}:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1}`;
}

const strings: Strings = { translated: new Set(), bypassing: [] };
for (const name of readdirSync(join(root, 'extension'), { recursive: true, encoding: 'utf8' }))
  if (name.endsWith('.ts')) stringsOf(name.replaceAll(sep, '/'), strings);

test('every text that the extension shows can be translated', () => {
  expect(strings.bypassing).toEqual([]);
});

test('the bundle for translators has every text of the source, and no other', async () => {
  const messages = [...strings.translated].sort();
  const texts = Object.fromEntries(messages.map((message) => [message, message]));
  await expect(`${JSON.stringify(texts, null, 2)}\n`).toMatchFileSnapshot(bundle);
});
