/** @file What every page with charts may say, for the checks of its messages. */
import * as z from 'zod';

/** A file name that a chart suggests, and no path. */
const fileName = z
  .string()
  .min(1)
  .max(200)
  .transform((name) => name.replace(/[^\p{L}\p{N} ._-]+/gu, '-').replace(/^[.\s]+/, ''));

export const pageMessages = [
  z.object({ type: z.literal('save'), name: fileName, format: z.literal('csv'), content: z.string() }),
  z.object({ type: z.literal('save'), name: fileName, format: z.literal('png'), content: z.instanceof(Uint8Array) }),
  z.object({ type: z.literal('error'), message: z.string().max(10_000) }),
] as const;
