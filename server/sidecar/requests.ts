/** @file What clients may ask, checked: a client can be of another version, or none of ours. */
import * as z from 'zod';
import type { SidecarMethod, SidecarParams, SidecarResult } from '../protocol/wire/sidecar.ts';

const nothing = z
  .unknown()
  .transform((): undefined => undefined)
  .optional();

const parameters = {
  initialize: z.object({ protocol: z.number(), client: z.string() }),
  state: nothing,
  subscribe: z.object({ offset: z.int().min(0), cuts: z.int().min(0).optional(), stream: z.int().min(0).optional() }),
  unsubscribe: z.object({ stream: z.int().min(0) }),
  pause: nothing,
  continue: nothing,
  stop: z.object({ when: z.enum(['after-step', 'now']) }),
  observe: nothing,
  checkpoint: nothing,
  change: z.object({ values: z.array(z.string()).min(1) }),
  whenAlone: z.object({ action: z.enum(['continue', 'pause', 'stop']), afterMs: z.number().min(0).optional() }),
} satisfies { [M in SidecarMethod]: z.ZodType<SidecarParams<M>> };

export const methods = Object.keys(parameters) as SidecarMethod[];

/** A function for every method, given who asks. */
export type Handlers<Asker> = {
  readonly [M in SidecarMethod]: (params: SidecarParams<M>, asker: Asker) => Answer<M> | Promise<Answer<M>>;
};

/** A function without a result need not return one. */
type Answer<M extends SidecarMethod> = SidecarResult<M> extends undefined ? void : SidecarResult<M>;

/** Answers a request. @throws z.ZodError where the parameters are not those of the method */
export async function answer<M extends SidecarMethod, Asker>(
  handlers: Handlers<Asker>,
  method: M,
  params: unknown,
  asker: Asker,
): Promise<Answer<M>> {
  const checked = parameters[method].parse(params ?? undefined) as SidecarParams<M>;
  return handlers[method](checked, asker);
}
