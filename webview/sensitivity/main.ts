/** @file Entry point of the page of a sensitivity report. */
import '../translation.ts';
import type { FromSensitivityPage } from '../../server/protocol/wire/sensitivity.ts';
import { registerControls } from '../controls/toolkit.ts';
import { SensitivityPage } from './page.ts';

const vscode = acquireVsCodeApi();
const send = (message: FromSensitivityPage): void => vscode.postMessage(message);

registerControls();
const page = new SensitivityPage(document.body, send);
window.addEventListener('message', ({ data }) => page.receive(data));
window.addEventListener('error', ({ message, filename, lineno }) =>
  send({ type: 'error', message: `${message} (${filename}:${lineno})` }),
);
window.addEventListener('unhandledrejection', ({ reason }) => send({ type: 'error', message: String(reason) }));
send({ type: 'ready' });
