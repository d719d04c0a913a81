/** @file Kinds of values that several sections of an experiment file have. */
import * as z from 'zod';

export const path = z.string().min(1).meta({ format: 'path' });
export const positiveInteger = z.int().positive();
export const fraction = z.number().min(0).lt(1);
