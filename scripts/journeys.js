/** @file `npm run journeys [NAME…]`: sets the checkout up and walks what users do in a real VS Code; see test/journeys/index.ts. */
import { exitOnSignals } from './leftovers.js';
import { setUp } from './setup.js';

exitOnSignals();
await setUp({ editor: true, browser: true });
const { createJiti } = await import('jiti');
/** @type {{ walk: (names: string[]) => Promise<boolean> }} */
const { walk } = await createJiti(import.meta.url).import('../test/journeys/index.ts');
process.exitCode = (await walk(process.argv.slice(2))) ? 0 : 1;
