/** @file Entry point of the language server: LSP over standard input and output (`--stdio`) or Node's IPC (`--node-ipc`). */
import { refuseOldNode } from '../runs/refuseOldNode.ts';

refuseOldNode();
const [{ createConnection, ProposedFeatures }, { serve }] = await Promise.all([
  import('vscode-languageserver/node'),
  import('./server.ts'),
]);
serve(createConnection(ProposedFeatures.all)).listen();
