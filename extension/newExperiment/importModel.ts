/** @file Import Model: a file of another program becomes the model of a new experiment; or how to write one. */
import { basename, extname } from 'node:path';
import type { Uri } from 'vscode';
import { env, l10n, QuickPickItemKind, window, workspace, type QuickPickItem } from 'vscode';
import { formatCount } from '../../server/protocol/formatQuantity.ts';
import type { ModelDescription } from '../../server/protocol/model/modelDescription.ts';
import { hasEnding, KERAS_EXPORT, modelEndings, weightEndings } from '../../server/protocol/model/modelEndings.ts';
import { elementCount } from '../../server/protocol/shape.ts';
import { UserError } from '../../server/protocol/userError.ts';
import { showError, showInformation, withRemedy } from '../messages.ts';
import type { Services } from '../services.ts';
import { describeModel, sizesText } from './describeModel.ts';
import { EXCLUDED } from './findChoices.ts';
import { Proposer } from './proposer.ts';
import { newExperiment, relativeFolder } from './wizard.ts';

interface Choice extends QuickPickItem {
  readonly value?: 'torch' | 'keras' | 'browse' | Uri;
}

const FILES = 100;

/**
 * Asks where the model comes from, tells what it consists of, and goes on with the questions of a new experiment.
 * @returns the experiment file; undefined where none was made
 */
export async function importModel(services: Services): Promise<Uri | undefined> {
  const files = await workspace.findFiles(
    `**/{model.json,*{${[...modelEndings.filter((ending) => ending !== '.json'), ...weightEndings].join(',')}}}`,
    EXCLUDED,
    FILES,
  );
  const items: Choice[] = [
    ...(files.length > 0 ? [{ label: l10n.t('In this workspace'), kind: QuickPickItemKind.Separator }] : []),
    ...files
      .toSorted((a, b) => Number(isWeights(a)) - Number(isWeights(b)) || a.fsPath.localeCompare(b.fsPath))
      .map((value): Choice => ({
        label: basename(value.fsPath),
        description: relativeFolder(value.fsPath),
        detail: isWeights(value) ? l10n.t('Weights to start from, without the layers') : undefined,
        value,
      })),
    { label: l10n.t('Elsewhere'), kind: QuickPickItemKind.Separator },
    { label: l10n.t('Choose a File…'), value: 'browse' },
    { label: l10n.t('From PyTorch…'), detail: l10n.t('The call that writes a module as an ONNX file'), value: 'torch' },
    { label: l10n.t('From Keras…'), detail: KERAS_EXPORT, value: 'keras' },
  ];
  const chosen = await window.showQuickPick(items, {
    title: l10n.t('Import Model'),
    placeHolder: l10n.t('The model of PyTorch, Keras or TensorFlow.js to compress'),
    matchOnDescription: true,
  });
  const value = chosen?.value;
  switch (value) {
    case undefined:
      return undefined;
    case 'torch':
      return explainTorch(services);
    case 'keras':
      return explainKeras();
    case 'browse': {
      const file = await browse();
      return file && importFile(services, file);
    }
    default:
      return importFile(services, value);
  }
}

function isWeights({ fsPath }: Uri): boolean {
  return hasEnding(fsPath, weightEndings);
}

async function browse(): Promise<Uri | undefined> {
  const endings = [...modelEndings, ...weightEndings].map((ending) => ending.slice(1));
  const [file] =
    (await window.showOpenDialog({
      title: l10n.t('Import Model'),
      filters: { [l10n.t('Models')]: endings },
    })) ?? [];
  return file;
}

async function importFile(services: Services, file: Uri): Promise<Uri | undefined> {
  const { fsPath } = file;
  if (isWeights(file)) return explainWeights(services, file);
  try {
    const described = await describeModel(services.context, fsPath);
    if (!described) return undefined;
    void showInformation(descriptionText(fsPath, described));
    return await newExperiment(services, { model: { reference: fsPath }, described });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const torch = l10n.t('Show Export Call');
    const text = withRemedy(error);
    services.log.warn(text);
    const answers = extname(fsPath).toLowerCase() === '.onnx' ? [torch] : [];
    if ((await showError(text, ...answers)) === torch) await explainTorch(services);
    return undefined;
  }
}

/** `net.onnx: [1, 28, 28] → [10], 8,330 parameters in 3 layers.` with its warnings. */
function descriptionText(
  path: string,
  { weights, inputs = [], outputs = [], warnings = [] }: ModelDescription,
): string {
  const parameters = weights.reduce((sum, { shape }) => sum + elementCount(shape), 0);
  const layers = new Set(weights.map(({ layer }) => layer)).size;
  const sizes = (ends: readonly { shape: readonly (number | null)[] }[]) =>
    ends.map(({ shape }) => `[${sizesText(shape.slice(1))}]`).join(', ');
  const text = l10n.t(
    '{0}: {1} → {2}, {3} parameters in {4} layers.',
    basename(path),
    sizes(inputs),
    sizes(outputs),
    formatCount(parameters),
    formatCount(layers),
  );
  return [text, ...warnings].join(' ');
}

async function explainWeights(services: Services, file: Uri): Promise<undefined> {
  const torch = l10n.t('Show Export Call');
  const copy = l10n.t('Copy "start"');
  const answer = await showInformation(
    l10n.t(
      '{0} holds weights without layers. Export the model as ONNX; or write its layers as a module, and name this file as "start" beside "model".',
      basename(file.fsPath),
    ),
    torch,
    copy,
  );
  if (answer === torch) await explainTorch(services);
  if (answer === copy) await env.clipboard.writeText(`"start": ${JSON.stringify(`./${basename(file.fsPath)}`)}`);
  return undefined;
}

/** Opens the script, with the names of the model that an editor shows. */
async function explainTorch({ context }: Pick<Services, 'context'>): Promise<undefined> {
  const proposer = new Proposer(context);
  const content = await proposer.ask('torchScript', shownCode()).finally(() => proposer.dispose());
  const document = await workspace.openTextDocument({ language: 'python', content });
  await window.showTextDocument(document, { preview: false });
  const copy = l10n.t('Copy');
  const answer = await showInformation(
    l10n.t('Run this where your model is, in Python; then import the file net.onnx that it writes.'),
    copy,
  );
  if (answer === copy) await env.clipboard.writeText(document.getText());
  return undefined;
}

/** The Python file of the active editor, or else of another one that is seen. */
function shownCode(): { module: string; text: string } {
  const shown = [window.activeTextEditor?.document, ...window.visibleTextEditors.map(({ document }) => document)];
  const code = shown.find((document) => document?.languageId === 'python' && document.uri.scheme === 'file');
  return code ? { module: basename(code.uri.fsPath, '.py'), text: code.getText() } : { module: 'net', text: '' };
}

async function explainKeras(): Promise<undefined> {
  const copy = l10n.t('Copy');
  const text = l10n.t('In Python, with Keras 3: {0}. Then import the file that it writes.', KERAS_EXPORT);
  if ((await showInformation(text, copy)) === copy) await env.clipboard.writeText(KERAS_EXPORT);
  return undefined;
}
