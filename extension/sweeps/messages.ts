/** @file What the page of a sweep says, checked: it shows names and notes of files, and what it says is not trusted. */
import * as z from 'zod';
import type { FromSweepPage } from '../../server/protocol/wire/sweep.ts';
import { pageMessages } from '../page/pageMessages.ts';

/** A sweep may have tens of thousands, all of which can be selected. */
const runs = z.array(z.string()).min(1);
const change = z.object({ pinned: z.boolean().optional(), text: z.string().max(10_000).optional() });

const schema: z.ZodType<FromSweepPage> = z.union([
  z.object({ type: z.literal('ready') }),
  z.object({ type: z.literal('continue') }),
  z.object({ type: z.literal('use'), run: z.string() }),
  z.object({ type: z.literal('open'), runs }),
  z.object({ type: z.literal('note'), runs, change }),
  ...pageMessages,
]);

/** Undefined for what is no message of such a page. */
export function parseFromSweepPage(message: unknown): FromSweepPage | undefined {
  return schema.safeParse(message).data;
}
