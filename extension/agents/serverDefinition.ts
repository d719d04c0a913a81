/**
 * @file The server of agents as the editor starts it: `deeptwist mcp` with the Node that also trains. Editors since 1.101 have servers
 * of extensions; the types here are of the oldest editor that the extension runs in, and an older one is offered nothing.
 */
import * as vscode from 'vscode';
import { nodePath } from '../cli/nodePath.ts';
import { Disposable } from '../dispose.ts';

/** As in the manifest. */
const ID = 'deeptwist.mcp';

/** `McpStdioServerDefinition` of the API. */
interface StdioServer {
  cwd?: vscode.Uri;
}

interface ServerApi {
  readonly McpStdioServerDefinition: new (
    label: string,
    command: string,
    args: string[],
    env: Record<string, string>,
    version: string,
  ) => StdioServer;
  readonly lm: {
    registerMcpServerDefinitionProvider(
      id: string,
      provider: {
        readonly onDidChangeMcpServerDefinitions: vscode.Event<void>;
        provideMcpServerDefinitions(): StdioServer[];
      },
    ): vscode.Disposable;
  };
}

/** Offers the server where the workspace is trusted, and another one when its folders or its Node are others. */
export class ServerDefinitions extends Disposable {
  constructor({ extensionUri, extension }: vscode.ExtensionContext) {
    super();
    const api = serverApi();
    if (!api) return;
    const changed = this.register(new vscode.EventEmitter<void>());
    const tell = () => changed.fire();
    this.register(vscode.workspace.onDidGrantWorkspaceTrust(tell));
    this.register(vscode.workspace.onDidChangeWorkspaceFolders(tell));
    this.register(
      vscode.workspace.onDidChangeConfiguration((event) => event.affectsConfiguration('deeptwist.node.path') && tell()),
    );
    const script = vscode.Uri.joinPath(extensionUri, 'bin', 'deeptwist.js').fsPath;
    const { version } = extension.packageJSON as { version: string };
    this.register(
      api.lm.registerMcpServerDefinitionProvider(ID, {
        onDidChangeMcpServerDefinitions: changed.event,
        provideMcpServerDefinitions() {
          const folders = projectFolders();
          // It trains, and executes code of the workspace; an empty window has nothing to train.
          if (!vscode.workspace.isTrusted || folders.length === 0) return [];
          // The editor itself asks before each call of a tool that does not only read.
          const args = [script, 'mcp', '--confirm', 'host', ...folders.map(({ fsPath }) => fsPath)];
          const env = { ELECTRON_RUN_AS_NODE: '1' };
          const server = new api.McpStdioServerDefinition('DeepTwist', nodePath(), args, env, version);
          server.cwd = folders[0];
          return [server];
        },
      }),
    );
  }
}

/** Undefined in an editor that knows no servers of extensions. */
function serverApi(): ServerApi | undefined {
  // 1.100 has the function, too, and throws.
  const [major, minor] = vscode.version.split('.').map(Number);
  if (major === 1 && minor < 101) return undefined;
  const { lm, McpStdioServerDefinition } = vscode as unknown as Partial<ServerApi>;
  return typeof McpStdioServerDefinition === 'function' && typeof lm?.registerMcpServerDefinitionProvider === 'function'
    ? { lm, McpStdioServerDefinition }
    : undefined;
}

function projectFolders(): vscode.Uri[] {
  return (vscode.workspace.workspaceFolders ?? []).map(({ uri }) => uri).filter(({ scheme }) => scheme === 'file');
}
