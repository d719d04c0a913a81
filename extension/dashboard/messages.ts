/** @file What the page says, checked: a page draws what a run recorded, and what it says is not trusted. */
import * as z from 'zod';
import { dashboardCommands } from '../../server/protocol/wire/dashboard.ts';
import type { FromDashboard } from '../../server/protocol/wire/dashboard.ts';

const runKey = z.string().min(1).max(4096);
const runKeys = z.array(runKey).max(64);
/** A file name that a chart suggests, and no path. */
const fileName = z
  .string()
  .min(1)
  .max(200)
  .transform((name) => name.replace(/[^\p{L}\p{N} ._-]+/gu, '-').replace(/^[.\s]+/, ''));

const fromDashboardSchema: z.ZodType<FromDashboard> = z.union([
  z.object({ type: z.literal('ready'), shown: runKeys.optional() }),
  z.object({ type: z.literal('show'), runs: runKeys }),
  z.object({ type: z.literal('command'), command: z.enum(dashboardCommands), run: runKey.optional() }),
  z.object({
    type: z.literal('revealLayer'),
    run: runKey,
    weight: z.string().min(1).max(1000),
    compressed: z.boolean(),
    key: z.string().max(1000).optional(),
  }),
  z.object({ type: z.literal('revealExport'), run: runKey, path: z.string().min(1).max(4096) }),
  z.object({ type: z.literal('save'), name: fileName, format: z.literal('csv'), content: z.string() }),
  z.object({ type: z.literal('save'), name: fileName, format: z.literal('png'), content: z.instanceof(Uint8Array) }),
  z.object({ type: z.literal('error'), message: z.string().max(10_000) }),
]);

/** Undefined for what is no message of a dashboard's page. */
export function parseFromDashboard(message: unknown): FromDashboard | undefined {
  return fromDashboardSchema.safeParse(message).data;
}
