#!/usr/bin/env node
// By URL: the bundle is made by `npm run build` and is no part of the sources that are type-checked.
const { main } = await import(new URL('../dist/cli.js', import.meta.url).href);
await main();
