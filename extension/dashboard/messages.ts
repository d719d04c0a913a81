/** @file What the page says, checked: a page draws what a run recorded, and what it says is not trusted. */
import * as z from 'zod';
import { pageMessages } from '../page/pageMessages.ts';
import { dashboardCommands, dashboardTabs } from '../../server/protocol/wire/dashboard.ts';
import type { FromDashboard } from '../../server/protocol/wire/dashboard.ts';

const runKey = z.string().min(1).max(4096);
const runKeys = z.array(runKey);
const fromDashboardSchema: z.ZodType<FromDashboard> = z.union([
  // A page that is not heard to be ready stays empty, whatever it has kept.
  z.object({ type: z.literal('ready'), shown: runKeys.optional().catch(undefined) }),
  z.object({ type: z.literal('show'), runs: runKeys }),
  z.object({ type: z.literal('tab'), tab: z.enum(dashboardTabs) }),
  z.object({ type: z.literal('command'), command: z.enum(dashboardCommands), run: runKey.optional() }),
  z.object({
    type: z.literal('revealLayer'),
    run: runKey,
    weight: z.string().min(1).max(1000),
    compressed: z.boolean(),
    key: z.string().max(1000).optional(),
  }),
  z.object({ type: z.literal('revealExport'), run: runKey, path: z.string().min(1).max(4096) }),
  ...pageMessages,
]);

/** Undefined for what is no message of a dashboard's page. */
export function parseFromDashboard(message: unknown): FromDashboard | undefined {
  return fromDashboardSchema.safeParse(message).data;
}
