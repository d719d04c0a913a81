/** The buttons of messages, as VS Code is asked for them. */
import { beforeEach, expect, test, vi } from 'vitest';
import { UserError } from '../../../server/protocol/userError.ts';

const editor = vi.hoisted(() => ({
  isDesktop: true,
  remoteName: undefined as string | undefined,
  /** True for a message that is closed without an answer; else the last button is pressed. */
  isClosed: false,
  /** What was shown: a message with its buttons, a command with its arguments. */
  seen: [] as unknown[][],
}));
vi.mock('vscode', () => {
  const show = (...shown: unknown[]) => {
    editor.seen.push(shown);
    return Promise.resolve(editor.isClosed ? undefined : shown.at(-1));
  };
  return {
    l10n: { t: (text: string) => text },
    commands: { executeCommand: (...call: unknown[]) => Promise.resolve(editor.seen.push(call)) },
    window: { showErrorMessage: show, showInformationMessage: show },
    workspace: {
      isTrusted: false,
      getWorkspaceFolder: ({ fsPath }: { fsPath: string }) => (fsPath.startsWith('/workspace/') ? {} : undefined),
    },
    env: {
      get uiKind() {
        return editor.isDesktop ? 1 : 2;
      },
      get remoteName() {
        return editor.remoteName;
      },
      clipboard: { writeText: (text: string) => Promise.resolve(editor.seen.push(['copied', text])) },
    },
    UIKind: { Desktop: 1, Web: 2 },
    Uri: { file: (fsPath: string) => ({ fsPath }) },
  };
});

beforeEach(() => Object.assign(editor, { isDesktop: true, remoteName: undefined, isClosed: false, seen: [] }));

test('what Restricted Mode refuses leads to the trust of the workspace, any other error to the log', async () => {
  const { reportError } = await import('../../../extension/messages.ts');
  const { requireTrustToRun } = await import('../../../extension/trust.ts');
  const log = { error: () => undefined, show: () => editor.seen.push(['log']) } as never;
  expect(requireTrustToRun).toThrow(UserError);
  try {
    requireTrustToRun();
  } catch (error) {
    reportError(error, log);
  }
  reportError(new UserError('The run has no model', { remedy: 'Resume it.' }), log);
  await vi.waitFor(() => expect(editor.seen).toHaveLength(4));
  expect(editor.seen.map(([first, button]) => [first, button])).toEqual([
    [expect.stringContaining('is not trusted'), 'Manage Trust'],
    ['The run has no model. Resume it.', 'Show Log'],
    ['workbench.trust.manage', undefined],
    ['log', undefined],
  ]);
});

test.each<readonly [path: string, window: object, seen: readonly unknown[]]>([
  ['/workspace/a/.deeptwist/runs/1', {}, [['revealInExplorer', { fsPath: '/workspace/a/.deeptwist/runs/1' }]]],
  ['/elsewhere/net.onnx', {}, [['revealFileInOS', { fsPath: '/elsewhere/net.onnx' }]]],
  ...[{ isDesktop: false }, { remoteName: 'ssh-remote' }].map(
    (window) =>
      [
        '/elsewhere/net.onnx',
        window,
        [
          ['/elsewhere/net.onnx', 'Copy Path'],
          ['copied', '/elsewhere/net.onnx'],
        ],
      ] as const,
  ),
])('%s is revealed in a window %j by what that window has', async (path, window, seen) => {
  Object.assign(editor, window);
  const { revealPath } = await import('../../../extension/runs/revealPath.ts');
  await revealPath(path);
  expect(editor.seen).toEqual(seen);
});

test.each<readonly [isClosed: boolean, seen: readonly unknown[]]>([
  [false, [['workbench.action.files.openFolder']]],
  [true, []],
])('what needs a folder offers to open one; the message is closed without an answer: %s', async (isClosed, seen) => {
  editor.isClosed = isClosed;
  const { offerFolder } = await import('../../../extension/messages.ts');
  await offerFolder();
  expect(editor.seen).toEqual([
    [expect.stringContaining('An experiment is a file in a folder.'), 'Open Folder…'],
    ...seen,
  ]);
});
