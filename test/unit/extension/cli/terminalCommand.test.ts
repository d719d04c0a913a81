/** The command `deeptwist` of terminals: what VS Code is told to change in their environment, and the script that it starts. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { root } from '../../../../scripts/root.js';

const editor = vi.hoisted(() => ({ node: '', changed: (_: { affectsConfiguration(name: string): boolean }) => {} }));
vi.mock('vscode', () => ({
  l10n: { t: (text: string) => text },
  Uri: { joinPath: (...parts: string[]) => ({ fsPath: parts.join('/') }) },
  workspace: {
    getConfiguration: () => ({ get: () => editor.node }),
    onDidChangeConfiguration: (listener: typeof editor.changed) => (editor.changed = listener),
  },
}));

test('terminals get the folder of the command at the end of PATH, and the Node.js of the settings', async () => {
  const { offerInTerminals } = await import('../../../../extension/cli/terminalCommand.ts');
  const variables = new Map<string, string>();
  const set = (name: string, value: string) => variables.set(name, value);
  const environmentVariableCollection = { append: set, replace: set };
  offerInTerminals({ environmentVariableCollection, extensionUri: '/extension' } as never);
  expect(Object.fromEntries(variables)).toEqual({
    PATH: `${delimiter}/extension/bin/terminal`,
    DEEPTWIST_NODE: process.execPath,
  });
  editor.node = '/opt/node';
  editor.changed({ affectsConfiguration: (name) => name === 'deeptwist.runs.parallel' });
  expect(variables.get('DEEPTWIST_NODE')).toBe(process.execPath);
  editor.changed({ affectsConfiguration: (name) => name === 'deeptwist.node.path' });
  expect(variables.get('DEEPTWIST_NODE')).toBe('/opt/node');
});

describe.runIf(process.platform !== 'win32')('the script', () => {
  let folder: string;
  beforeAll(() => {
    // A folder whose name a shell would take apart.
    folder = mkdtempSync(join(tmpdir(), "deeptwist it's $HOME "));
    mkdirSync(join(folder, 'bin'));
    cpSync(join(root, 'bin', 'terminal'), join(folder, 'bin', 'terminal'), { recursive: true });
    const print =
      'console.log(JSON.stringify([process.env.ELECTRON_RUN_AS_NODE, ...process.argv.slice(2)])); process.exit(3);';
    writeFileSync(join(folder, 'bin', 'deeptwist.js'), print);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test.each([process.execPath, undefined])(
    'hands its arguments on as they are, and the exit code back (Node.js: %s)',
    (node) => {
      const PATH = `${process.env.PATH}${delimiter}${join(folder, 'bin', 'terminal')}`;
      const args = ['run', 'a b.jsonc', '--set', 'x={"y": "$HOME"}', ''];
      const output = (): string => {
        try {
          return execFileSync('deeptwist', args, {
            env: { PATH, ...(node && { DEEPTWIST_NODE: node }) },
            encoding: 'utf8',
          });
        } catch (error) {
          expect(error).toMatchObject({ status: 3 });
          return (error as { stdout: string }).stdout;
        }
      };
      expect(JSON.parse(output())).toEqual(['1', ...args]);
    },
  );
});
