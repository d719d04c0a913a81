/** @file The editor's tools for agents in a window of several folders. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test, vi } from 'vitest';
import { AgentTools } from '../../../../extension/agents/agentTools.ts';
import type { Services } from '../../../../extension/services.ts';
import { temporaryFolder } from '../../runs/temporaryRun.ts';
import { editor, resetEditor } from '../fakeEditor.ts';

vi.mock('vscode', () => import('../fakeEditor.ts'));

beforeEach(resetEditor);

test('a file is taken from the folder in which it is there', async () => {
  const root = await temporaryFolder();
  editor.folders = [join(root, 'a'), join(root, 'b')];
  for (const folder of editor.folders) mkdirSync(folder);
  const tool = new AgentTools({} as Services).deeptwist_experimentProblems;
  const file = 'resnet.deeptwist.jsonc';
  const inSecond = join(root, 'b', file);
  writeFileSync(inSecond, '{}');
  expect(await tool.invoke({ file })).toMatchObject({ file: inSecond });
  expect(await tool.invoke({ file: inSecond })).toMatchObject({ file: inSecond });
  const inFirst = join(root, 'a', file);
  writeFileSync(inFirst, '{}');
  expect(await tool.invoke({ file })).toMatchObject({ file: inFirst });
});

test('a file that is in none of the folders is refused with what to do', async () => {
  editor.folders = [await temporaryFolder(), await temporaryFolder()];
  const tool = new AgentTools({} as Services).deeptwist_experimentProblems;
  await expect(tool.invoke({ file: 'no.deeptwist.jsonc' })).rejects.toThrow('is no experiment file of the workspace');
});
