/** @file Entry point of the page of a model's file. */
import '../translation.ts';
import type { FromModelFilePage } from '../../server/protocol/wire/modelFile.ts';
import { registerControls } from '../controls/toolkit.ts';
import { ViewState } from '../viewState.ts';
import { ModelFilePage } from './page.ts';

const vscode = acquireVsCodeApi();
const send = (message: FromModelFilePage): void => vscode.postMessage(message);

registerControls();
const page = new ModelFilePage(document.body, new ViewState(vscode), send);
window.addEventListener('message', ({ data }) => page.receive(data));
window.addEventListener('error', ({ message, filename, lineno }) =>
  send({ type: 'error', message: `${message} (${filename}:${lineno})` }),
);
window.addEventListener('unhandledrejection', ({ reason }) => send({ type: 'error', message: String(reason) }));
send({ type: 'ready' });
