/** @file Pages of webview/: a frame that loads a bundle of it and nothing else. */
import { randomBytes } from 'node:crypto';
import { env, l10n, Uri } from 'vscode';
import type { Webview, WebviewOptions } from 'vscode';
import { translationBlock } from './translationBlock.ts';

function bundleFolder(extensionUri: Uri): Uri {
  return Uri.joinPath(extensionUri, 'dist', 'webview');
}

export function pageOptions(extensionUri: Uri): WebviewOptions {
  return { enableScripts: true, localResourceRoots: [bundleFolder(extensionUri)] };
}

/** The icon of a page beside the code. */
export function panelIcon(extensionUri: Uri): { light: Uri; dark: Uri } {
  const icon = (theme: string) => Uri.joinPath(extensionUri, 'media', `dashboard-${theme}.svg`);
  return { light: icon('light'), dark: icon('dark') };
}

/**
 * `data:` and `blob:` images are charts on their way to a file.
 * @param bundle the name of the page's script and style sheet
 */
export function pageHtml(
  webview: Webview,
  extensionUri: Uri,
  {
    bundle,
    title,
    isInSideBar = false,
  }: { bundle: 'dashboard' | 'modelFile' | 'sweep' | 'sensitivity'; title: string; isInSideBar?: boolean },
): string {
  const nonce = randomBytes(16).toString('base64');
  const source = (file: string) => webview.asWebviewUri(Uri.joinPath(bundleFolder(extensionUri), file)).toString();
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src ${webview.cspSource}`,
    `font-src ${webview.cspSource}`,
    `img-src ${webview.cspSource} data: blob:`,
  ].join('; ');
  return `<!DOCTYPE html>
<html lang="${escape(env.language)}">
<head>
<meta charset="UTF-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${escape(title)}</title>
<link rel="stylesheet" href="${escape(source(`${bundle}-style.css`))}">
</head>
<body${isInSideBar ? ' class="is-in-side-bar"' : ''}>
<noscript>${escape(l10n.t('This page needs scripts, which are switched off in this window.'))}</noscript>
${translationBlock(l10n.bundle)}
<script nonce="${nonce}" type="module" src="${escape(source(`${bundle}.js`))}"></script>
</body>
</html>`;
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (character) => entities[character]);
}
