/** @file A page's texts in the display language, as a data block of it: a policy of scripts does not bear on it. */

/** @param bundle what VS Code has loaded for the display language; undefined: the page stays in English */
export function translationBlock(bundle: Readonly<Record<string, string>> | undefined): string {
  if (bundle === undefined) return '';
  // A `<` of JSON is part of a string. Escaped there, no text can end the block or begin a comment.
  const json = JSON.stringify(bundle).replaceAll('<', '\\u003c');
  return `<script type="application/json" id="translation">${json}</script>`;
}
