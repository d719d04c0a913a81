/** @file The command `deeptwist` in the terminals of VS Code: its folder at the end of their PATH, and the Node.js that runs it. */
import { delimiter } from 'node:path';
import { Uri, l10n, workspace, type Disposable, type ExtensionContext } from 'vscode';
import { nodePath } from './nodePath.ts';

/** Scripts that start a shell may set PATH anew, so that it is changed after them, too. */
const ALWAYS = { applyAtProcessCreation: true, applyAtShellIntegration: true };

export function offerInTerminals({ environmentVariableCollection, extensionUri }: ExtensionContext): Disposable {
  const variables = environmentVariableCollection;
  variables.description = l10n.t('Makes the command `deeptwist` available.');
  // A `deeptwist` that the user has installed comes first.
  variables.append('PATH', delimiter + Uri.joinPath(extensionUri, 'bin', 'terminal').fsPath, ALWAYS);
  const setNode = () => variables.replace('DEEPTWIST_NODE', nodePath(), ALWAYS);
  setNode();
  return workspace.onDidChangeConfiguration((event) => event.affectsConfiguration('deeptwist.node.path') && setNode());
}
