/** @file `npm run screenshots [SCENE…]`: sets the checkout up and takes the pictures of `docs/images/`; see test/screenshots/editor.ts. */
import { createJiti } from 'jiti';
import { setUp } from './setup.js';

await setUp();
/** @type {{ takeScreenshots: (scenes: string[]) => Promise<void> }} */
const { takeScreenshots } = await createJiti(import.meta.url).import('../test/screenshots/editor.ts');
await takeScreenshots(process.argv.slice(2));
