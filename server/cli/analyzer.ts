/** @file What the CLI asks of `server/sensitivity/`, which it loads when a command measures sensitivity. */
import type * as sensitivity from '../sensitivity/index.ts';

export type Analyzer = Pick<typeof sensitivity, 'measureSensitivity'>;
