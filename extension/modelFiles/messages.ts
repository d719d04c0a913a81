/** @file What the page of a model's file says, checked: it draws what a file says, and what it says is not trusted. */
import * as z from 'zod';
import type { FromModelFilePage } from '../../server/protocol/wire/modelFile.ts';
import { pageMessages } from '../page/pageMessages.ts';

/** A tensor by its place in the file. */
const tensor = z.int().min(0);

const schema: z.ZodType<FromModelFilePage> = z.union([
  z.object({ type: z.literal('ready') }),
  z.object({ type: z.literal('wanted'), statistics: z.array(tensor).max(100_000), histogram: tensor.optional() }),
  z.object({ type: z.literal('computeSpectrum'), tensor: tensor.optional() }),
  ...pageMessages,
]);

/** Undefined for what is no message of such a page. */
export function parseFromModelFilePage(message: unknown): FromModelFilePage | undefined {
  return schema.safeParse(message).data;
}
