/** @file `npm run icon`: draws `media/icon.png` from `media/icon.svg`. A marketplace takes no SVG as the icon of an extension. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { launchBrowser } from './editor/workbench.js';
import { root } from './root.js';

/** Pixels of either side: twice what a marketplace asks for at least, for dense screens. */
const SIZE = 256;

const browser = await launchBrowser();
try {
  const page = await browser.newPage({ viewport: { width: SIZE, height: SIZE } });
  const picture = readFileSync(join(root, 'media', 'icon.svg'), 'utf8');
  await page.setContent(`<style>body { margin: 0 } svg { display: block }</style>${picture}`);
  await page.screenshot({ path: join(root, 'media', 'icon.png'), omitBackground: true });
} finally {
  await browser.close();
}
