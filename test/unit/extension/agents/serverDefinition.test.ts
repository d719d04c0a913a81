/** @file The server of agents as the extension offers it: to which editors, in which workspaces, with which arguments. */
import { beforeEach, expect, test, vi } from 'vitest';

interface Provider {
  provideMcpServerDefinitions(): { args: readonly unknown[]; cwd?: { fsPath: string } }[];
}

/** The part of VS Code that this uses, of an editor of any version. */
const editor = vi.hoisted(() => ({
  version: '1.106.3',
  isTrusted: true,
  folders: ['/project', '/data'],
  registered: [] as [string, Provider][],
  granted: undefined as (() => void) | undefined,
}));
vi.mock('vscode', () => ({
  get version() {
    return editor.version;
  },
  McpStdioServerDefinition: class {
    readonly args: readonly unknown[];
    constructor(...args: unknown[]) {
      this.args = args;
    }
  },
  EventEmitter: class {
    readonly listeners = new Set<() => void>();
    event = (listener: () => void) => this.listeners.add(listener);
    fire = () => this.listeners.forEach((listener) => listener());
    dispose() {}
  },
  lm: {
    registerMcpServerDefinitionProvider: (id: string, provider: Provider) => {
      if (editor.version.startsWith('1.100')) throw new Error('MCP configuration providers must be registered in …');
      editor.registered.push([id, provider]);
      return { dispose: () => undefined };
    },
  },
  Uri: { joinPath: ({ fsPath }: { fsPath: string }, ...parts: string[]) => ({ fsPath: [fsPath, ...parts].join('/') }) },
  workspace: {
    get isTrusted() {
      return editor.isTrusted;
    },
    get workspaceFolders() {
      return editor.folders.map((fsPath) => ({ uri: { scheme: 'file', fsPath } }));
    },
    getConfiguration: () => ({ get: () => '' }),
    onDidGrantWorkspaceTrust: (listener: () => void) => ((editor.granted = listener), { dispose: () => undefined }),
    onDidChangeWorkspaceFolders: () => ({ dispose: () => undefined }),
    onDidChangeConfiguration: () => ({ dispose: () => undefined }),
  },
}));

beforeEach(() => {
  Object.assign(editor, { version: '1.106.3', isTrusted: true, folders: ['/project', '/data'], registered: [] });
});

async function offer(): Promise<Provider | undefined> {
  const { ServerDefinitions } = await import('../../../../extension/agents/serverDefinition.ts');
  const context = { extensionUri: { fsPath: '/extension' }, extension: { packageJSON: { version: '0.1.0' } } };
  new ServerDefinitions(context as never);
  return editor.registered.at(0)?.[1];
}

test('is started with the Node that trains, in all folders, and leaves the questions to the editor', async () => {
  const [definition, ...others] = (await offer())!.provideMcpServerDefinitions();
  expect(others).toEqual([]);
  expect(editor.registered[0][0]).toBe('deeptwist.mcp');
  expect(definition.args).toEqual([
    'DeepTwist',
    process.execPath,
    ['/extension/bin/deeptwist.js', 'mcp', '--confirm', 'host', '/project', '/data'],
    { ELECTRON_RUN_AS_NODE: '1' },
    '0.1.0',
  ]);
  expect(definition.cwd?.fsPath).toBe('/project');
});

test('is not there in Restricted Mode, and is there once the workspace is trusted', async () => {
  editor.isTrusted = false;
  const provider = await offer();
  expect(provider?.provideMcpServerDefinitions()).toEqual([]);
  let told = 0;
  (provider as unknown as { onDidChangeMcpServerDefinitions(listener: () => void): void }).onDidChangeMcpServerDefinitions(() => told++); // prettier-ignore
  editor.isTrusted = true;
  editor.granted?.();
  expect(told).toBe(1);
  expect(provider?.provideMcpServerDefinitions()).toHaveLength(1);
});

test('is not there in a window without a folder', async () => {
  editor.folders = [];
  expect((await offer())?.provideMcpServerDefinitions()).toEqual([]);
});

test('is not offered to VS Code 1.100, which has the function and throws', async () => {
  editor.version = '1.100.3';
  expect(await offer()).toBeUndefined();
});
