/** @file `target` of an experiment file. */
import * as z from 'zod';
import { fraction, positiveInteger } from './values.ts';

/** A size as people write it: `24 kB`, `1.5 MB`, `12 KiB`. */
const WRITTEN_SIZE = /^\s*(\d+(?:\.\d+)?)\s*(B|kB|MB|GB|KiB|MiB|GiB)\s*$/;

const unitBytes: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};

/** Bytes of a size as it is written; undefined for a text that is none. */
export function bytesOf(size: number | string): number | undefined {
  if (typeof size === 'number') return size;
  const [, count, unit] = WRITTEN_SIZE.exec(size) ?? [];
  const bytes = Number(count) * unitBytes[unit];
  return bytes > 0 ? bytes : undefined;
}

const bounds = <T extends z.ZodType<number>>(value: T, parameter: string, example: [number, number]) =>
  z
    .tuple([value, value])
    .optional()
    .describe(`The least and the greatest ${parameter} that a layer is given.`)
    .meta({ examples: [example] });

export const target = z
  .strictObject({
    bytes: z
      .union([
        z.number().positive(),
        z
          .string()
          .regex(WRITTEN_SIZE)
          .meta({ title: "a size as in '24 kB'", examples: ['24 kB', '1.5 MB'] }),
      ])
      .optional()
      .describe(
        "Bytes of the compressed model's file at most: a number, or a text such as '24 kB' (1,000 bytes) or '24 KiB' (1,024).",
      )
      .meta({ examples: ['24 kB'] }),
    ratio: z
      .number()
      .gt(1)
      .optional()
      .describe('In place of `bytes`: how many times smaller than the dense 32-bit weights the file is to be at least.')
      .meta({ examples: [40] }),
    maxDrop: z
      .number()
      .min(0)
      .optional()
      .describe(
        "How much worse than the dense model's the metric may be, in its unit: 0.005 of accuracy is half a point. Alone: the smallest " +
          'model within it is looked for.',
      )
      .meta({ examples: [0.005] }),
    split: z
      .literal('validation')
      .default('validation')
      .describe('What settings are chosen by. The test split is for the end.'),
    bounds: z
      .strictObject({
        rate: bounds(fraction, 'pruning rate', [0.5, 0.995]),
        bits: bounds(positiveInteger.max(8), 'number of bits', [2, 8]),
        rank: bounds(positiveInteger, 'rank', [4, 128]),
      })
      .optional()
      .describe(
        'What is tried, by the parameter; default: all values. A layer that has its value in `layers` keeps it.',
      ),
  })
  .describe(
    'What is wanted, in the place of rates, bits or ranks: `deeptwist search` finds those of the layers that have none in `compression`.',
  );
