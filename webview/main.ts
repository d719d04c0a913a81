/** @file Entry point of the dashboard's page. */
import './translation.ts';
import type { FromDashboard } from '../server/protocol/wire/dashboard.ts';
import { registerControls } from './controls/toolkit.ts';
import { DashboardPage } from './frame/page.ts';
import { ViewState } from './viewState.ts';
import { views } from './views/views.ts';

const vscode = acquireVsCodeApi();
const send = (message: FromDashboard): void => vscode.postMessage(message);

registerControls();
const viewState = new ViewState(vscode);
const page = new DashboardPage(document.body, views, viewState, send);
window.addEventListener('message', ({ data }) => page.receive(data));
window.addEventListener('error', ({ message, filename, lineno }) =>
  send({ type: 'error', message: `${message} (${filename}:${lineno})` }),
);
window.addEventListener('unhandledrejection', ({ reason }) => send({ type: 'error', message: String(reason) }));
send({ type: 'ready', ...(viewState.shown && { shown: viewState.shown }) });
