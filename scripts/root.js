import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout's folder. Not by `import.meta.dirname`: an old Node must come as far as the check of its version. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));
