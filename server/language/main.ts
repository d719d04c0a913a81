/** @file Entry point of the language server: LSP over standard input and output (`--stdio`) or Node's IPC (`--node-ipc`). */
import { refuseOldNode } from '../runs/refuseOldNode.ts';

refuseOldNode();
await import('./languageProcess.ts');
