/** @file What suites ask the editor for, as a user who looks again until it is there. */
import * as vscode from 'vscode';
import { eventually } from './frame.ts';

/** Waits for a lens of a title. */
export function lensOf(file: vscode.Uri, title: RegExp): Promise<vscode.CodeLens> {
  return eventually(`a lens ${title}`, async () => {
    const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>('vscode.executeCodeLensProvider', file, 20);
    return lenses.find(({ command }) => title.test(command?.title ?? ''));
  });
}

/**
 * Waits for a code action of a title. The editor answers with none where another extension or a part of the editor registers code actions
 * meanwhile: it cancels what was asked before.
 */
export function codeAction(file: vscode.Uri, range: vscode.Range, title: string): Promise<vscode.CodeAction> {
  return eventually(`the code action ${title}`, async () => {
    const actions = await vscode.commands.executeCommand<vscode.CodeAction[]>(
      'vscode.executeCodeActionProvider',
      file,
      range,
    );
    return actions.find((action) => action.title === title);
  });
}
