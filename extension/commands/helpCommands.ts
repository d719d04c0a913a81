/** @file Commands that lead to what explains the extension. */
import { Uri, commands } from 'vscode';
import type { Services } from '../services.ts';

/** Id of the walkthrough in package.json. */
const WALKTHROUGH = 'getStarted';

/** Opens the walkthrough. */
export async function getStarted({ context }: Pick<Services, 'context'>): Promise<void> {
  await commands.executeCommand('workbench.action.openWalkthrough', `${context.extension.id}#${WALKTHROUGH}`);
}

/** Opens the first page of the documentation, from which links lead to the others, in the preview of Markdown. */
export async function openDocumentation({ context }: Pick<Services, 'context'>): Promise<void> {
  await commands.executeCommand(
    'markdown.showPreview',
    Uri.joinPath(context.extensionUri, 'dist', 'docs', 'README.md'),
  );
}
