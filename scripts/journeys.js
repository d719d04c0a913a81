/**
 * @file `npm run journeys -- [NAME…] [--theme THEME]`: sets the checkout up and walks what users do in a real VS Code; see
 * test/journeys/index.ts.
 */
import { parseArgs } from 'node:util';
import { exitOnSignals } from './leftovers.js';
import { setUp } from './setup.js';

const { positionals, values } = parseArgs({ allowPositionals: true, options: { theme: { type: 'string' } } });
exitOnSignals();
await setUp({ editor: true, browser: true });
const { createJiti } = await import('jiti');
/** @type {{ walk: (names: string[], theme?: string) => Promise<boolean> }} */
const { walk } = await createJiti(import.meta.url).import('../test/journeys/index.ts');
process.exitCode = (await walk(positionals, values.theme)) ? 0 : 1;
