/** @file Entry point of the dashboard's page. */
acquireVsCodeApi().postMessage({ type: 'ready' });
