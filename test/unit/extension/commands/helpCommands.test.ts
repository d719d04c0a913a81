/** The commands that lead to the walkthrough and to the documentation, as VS Code is asked for them. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test, vi } from 'vitest';
import { getStarted, openDocumentation } from '../../../../extension/commands/helpCommands.ts';
import { root } from '../../../../scripts/root.js';
import { useInstallation } from '../../installation.ts';
import { resetEditor, shown, Uri } from '../fakeEditor.ts';

vi.mock('vscode', () => import('../fakeEditor.ts'));

beforeEach(resetEditor);

const installation = useInstallation();
const servicesIn = (folder: string) =>
  ({ context: { extension: { id: 'somebody.deeptwist' }, extensionUri: Uri.file(folder) } }) as never;

test('Get Started opens the walkthrough of the manifest', async () => {
  const { contributes } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    contributes: { walkthroughs: readonly { id: string }[] };
  };
  await getStarted(servicesIn(root));
  const walkthrough = `somebody.deeptwist#${contributes.walkthroughs[0].id}`;
  expect(shown).toEqual([['command', 'workbench.action.openWalkthrough', walkthrough]]);
});

test('Open Documentation shows the first page in the preview of Markdown', async () => {
  await openDocumentation(servicesIn(installation()));
  const page = join(installation(), 'dist', 'docs', 'README.md');
  expect(shown).toEqual([['command', 'markdown.showPreview', Uri.file(page)]]);
  expect(existsSync(page)).toBe(true);
});
