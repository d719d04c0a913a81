/** @file Entry point of the page of a sweep. */
import '../translation.ts';
import type { FromSweepPage } from '../../server/protocol/wire/sweep.ts';
import { registerControls } from '../controls/toolkit.ts';
import { ViewState } from '../viewState.ts';
import { SweepPage } from './page.ts';

const vscode = acquireVsCodeApi();
const send = (message: FromSweepPage): void => vscode.postMessage(message);

registerControls();
const page = new SweepPage(document.body, new ViewState(vscode), send);
window.addEventListener('message', ({ data }) => page.receive(data));
window.addEventListener('error', ({ message, filename, lineno }) =>
  send({ type: 'error', message: `${message} (${filename}:${lineno})` }),
);
window.addEventListener('unhandledrejection', ({ reason }) => send({ type: 'error', message: String(reason) }));
send({ type: 'ready' });
