import { readFileSync, readdirSync } from 'node:fs';
import { join, sep } from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';
import { methodFacts } from '../../../server/protocol/experiment/methods/index.ts';
import { exportFormats } from '../../../server/protocol/model/exportFormats.ts';

/**
 * Everything that the extension and the dashboard's page show, found in their source. `npx vitest run FILE -u` writes the
 * bundle for translators.
 */

const root = join(import.meta.dirname, '../../..');
const bundle = join(root, 'l10n', 'bundle.l10n.json');

/** Words of a language, as against the names of settings and files. */
const WORDS = /\p{L}{2,} \p{L}{2,}/u;
/** Files whose texts are documents, in English like the language that they are in. */
const DOCUMENTS = new Set([
  'extension/commands/copyDiagnostics.ts', // A bug report.
  'extension/page/pageHtml.ts', // HTML.
  'extension/page/translationBlock.ts', // HTML.
  'extension/weightsInCode/gutterMark.ts', // SVG.
  'extension/weightsInCode/weightPicture.ts', // SVG.
  'extension/newExperiment/experimentText.ts', // Experiment files and their comments.
  // Reports, HTML that the command line writes.
  'webview/report/report.ts',
  'webview/report/style.ts',
  'webview/report/svgChart.ts',
]);
/** Its texts are those of files that the command line writes, in English. */
const REPORTS = 'webview/report/';
/** Files that translate the texts of the tables of methods and of export formats. */
const OF_TABLES = new Set([
  'extension/weightsInCode/weightText.ts',
  'extension/newExperiment/wizard.ts',
  'webview/views/setting.ts',
  'extension/commands/exportCommand.ts',
  'webview/views/files/fileFacts.ts',
]);
/** Calls whose texts are for programs and logs. */
const SILENT = /^(?:(?:this\.#)?(?:services\.)?log\.|l10n\.t$|commands\.|(?:Type)?Error$)/;

/** In the page a single word is a text, too, where it has a capital letter or becomes one of these properties. */
const CAPITALIZED = /^\p{Lu}\p{Ll}/u;
const WORD = /\p{L}{2,}/u;
const SHOWN = /^(?:label|title|text|summary|empty|note|phase|tag|aria-(?:label|roledescription|valuetext))$/;
/** Texts for programs: classes of the style sheet, values of options, columns of files. */
const UNSEEN = /^(?:class|className|value|column)$/;

interface Strings {
  readonly translated: Set<string>;
  /** `file:line text` of those that bypass translation. */
  readonly bypassing: string[];
}

function stringsOf(file: string, { translated, bypassing }: Strings): void {
  const isDocument = DOCUMENTS.has(file) || file.startsWith(REPORTS);
  const isText = file.startsWith('webview/') ? isPageText : (text: string) => WORDS.test(text);
  const source = ts.createSourceFile(file, readFileSync(join(root, file), 'utf8'), ts.ScriptTarget.Latest, true);
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && node.expression.getText() === 'l10n.t') {
      const [message] = node.arguments;
      if (ts.isStringLiteralLike(message)) translated.add(message.text);
      else if (!OF_TABLES.has(file)) bypassing.push(`${place(source, node)} l10n.t of what is no literal`);
      node.arguments.slice(1).forEach(visit);
      return;
    }
    if (ts.isCallExpression(node) || ts.isNewExpression(node)) {
      if (SILENT.test(node.expression.getText())) return;
    }
    if (ts.isImportDeclaration(node) || ts.isTypeNode(node)) return;
    const isLiteral =
      ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node);
    if (isLiteral && !isDocument && isText(node.text, node)) bypassing.push(`${place(source, node)} ${node.text}`);
    ts.forEachChild(node, visit);
  };
  visit(source);
}

function isPageText(text: string, node: ts.Node): boolean {
  const { parent } = node;
  // What a value is compared with, such as the name of a key, and a property's own name.
  if (ts.isCaseClause(parent) || (ts.isBinaryExpression(parent) && isComparison(parent))) return false;
  if (ts.isPropertyAssignment(parent) && parent.name === node) return false;
  const target = targetOf(node);
  if (target !== undefined && UNSEEN.test(target)) return false;
  return WORDS.test(text) || CAPITALIZED.test(text) || (target !== undefined && SHOWN.test(target) && WORD.test(text));
}

function isComparison({ operatorToken: { kind } }: ts.BinaryExpression): boolean {
  return kind === ts.SyntaxKind.EqualsEqualsEqualsToken || kind === ts.SyntaxKind.ExclamationEqualsEqualsToken;
}

/** The property that an expression, alone or as a part of a larger one, becomes the value of. */
function targetOf(node: ts.Node): string | undefined {
  const { parent } = node;
  if (ts.isPropertyAssignment(parent)) return parent.initializer === node ? nameOf(parent.name) : undefined;
  if (ts.isBinaryExpression(parent) && parent.operatorToken.kind === ts.SyntaxKind.EqualsToken)
    return ts.isPropertyAccessExpression(parent.left) ? parent.left.name.text : undefined;
  if (ts.isConditionalExpression(parent) && parent.condition === node) return undefined;
  const isPart =
    ts.isConditionalExpression(parent) ||
    ts.isBinaryExpression(parent) ||
    ts.isTemplateExpression(parent) ||
    ts.isTemplateSpan(parent) ||
    ts.isParenthesizedExpression(parent);
  return isPart ? targetOf(parent) : undefined;
}

function nameOf(name: ts.PropertyName): string {
  return ts.isStringLiteral(name) ? name.text : name.getText();
}

function place(source: ts.SourceFile, node: ts.Node): string {
  return `${source.fileName}:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1}`;
}

/** The texts of the methods that the extension and the page translate. */
const methodTexts = Object.values(methodFacts).flatMap(({ choice, parameters }) => [
  ...(choice ? [choice.label, choice.detail] : []),
  ...Object.values(parameters).flatMap(({ texts }) => Object.values(texts)),
]);

const formatTexts = Object.values(exportFormats).flatMap(({ label, description }) => [label, description]);

const strings: Strings = { translated: new Set([...methodTexts, ...formatTexts]), bypassing: [] };
for (const folder of ['extension', 'webview'])
  for (const name of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }))
    if (name.endsWith('.ts')) stringsOf(`${folder}/${name.replaceAll(sep, '/')}`, strings);

test('every text that the extension and the page show can be translated', () => {
  expect(strings.bypassing).toEqual([]);
});

test('the bundle for translators has every text of the source, and no other', async () => {
  const messages = [...strings.translated].sort();
  const texts = Object.fromEntries(messages.map((message) => [message, message]));
  await expect(`${JSON.stringify(texts, null, 2)}\n`).toMatchFileSnapshot(bundle);
});
