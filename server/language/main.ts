/** @file Entry point of the language server: LSP over standard input and output (`--stdio`) or Node's IPC (`--node-ipc`). */
import { createConnection, ProposedFeatures } from 'vscode-languageserver/node';
import { serve } from './server.ts';

serve(createConnection(ProposedFeatures.all)).listen();
