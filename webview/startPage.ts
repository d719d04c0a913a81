/** @file What every page does when it is loaded: it hears the editor, tells it of errors that nothing has caught, and then that it is ready. */
import type { FromPage } from '../server/protocol/wire/page.ts';
import { registerControls } from './controls/toolkit.ts';
import { ViewState } from './viewState.ts';

interface Page {
  receive(data: unknown): void;
}

/** @param ready the first message of the page, sent when it can receive others */
export function startPage<Message extends object>(
  make: (viewState: ViewState, send: (message: Message) => void) => Page,
  ready: (viewState: ViewState) => Message,
): void {
  const vscode = acquireVsCodeApi();
  const send = (message: Message | FromPage): void => vscode.postMessage(message);
  registerControls();
  const viewState = new ViewState(vscode);
  const page = make(viewState, send);
  window.addEventListener('message', ({ data }) => page.receive(data));
  window.addEventListener('error', ({ message, filename, lineno }) =>
    send({ type: 'error', message: `${message} (${filename}:${lineno})` }),
  );
  window.addEventListener('unhandledrejection', ({ reason }) => send({ type: 'error', message: String(reason) }));
  send(ready(viewState));
}
