/** @file Sets the language of the page's texts. It is imported first: modules make texts while they are loaded. */
import * as l10n from '@vscode/l10n';

/** Written by extension/page/translationBlock.ts; in English there is none. */
const contents = document.getElementById('translation')?.textContent;
if (contents) l10n.config({ contents });
