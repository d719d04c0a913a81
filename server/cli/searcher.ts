/** @file What the CLI asks of `server/search/`, which it loads when a command searches. */
import type * as search from '../search/index.ts';

export type Searcher = Pick<typeof search, 'newSearch' | 'goOnSearching'>;
