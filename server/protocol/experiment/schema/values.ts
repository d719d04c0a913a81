/** @file Kinds of values that several sections of an experiment file have. */
import * as z from 'zod';

export const path = z.string().min(1).meta({ format: 'path' });
export const positiveInteger = z.int().positive();
export const fraction = z.number().min(0).lt(1);
/** A fraction that leaves nothing empty. */
export const partialFraction = z.number().gt(0).lt(1);
/** Seed of the samples that a data set chooses. */
export const dataSeed = z.int().min(0).default(1);
/** An address of a server without a name and a password, which would be kept in files. */
export const SERVER_ADDRESS = /^https?:\/\/[^/@\s]+(\/[^@\s]*)?$/;
