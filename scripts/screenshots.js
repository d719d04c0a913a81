/** @file `npm run screenshots [SCENE…]`: sets the checkout up and takes the pictures of `docs/images/`; see test/screenshots/editor.ts. */
import { exitOnSignals } from './leftovers.js';
import { setUp } from './setup.js';

exitOnSignals();
await setUp({ editor: true, browser: true });
const { createJiti } = await import('jiti');
/** @type {{ takeScreenshots: (scenes: string[]) => Promise<void> }} */
const { takeScreenshots } = await createJiti(import.meta.url).import('../test/screenshots/editor.ts');
await takeScreenshots(process.argv.slice(2));
