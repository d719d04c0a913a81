/** @file The experiment file's JSON schema, for the editor's completion and hovers, made from its zod schema. */
import * as z from 'zod';
import { experimentSchema } from './schema.ts';

/** A node of a JSON schema. */
export type JsonSchema = z.core.JSONSchema.BaseSchema;

let schema: JsonSchema | undefined;

/**
 * JSON schema (draft 7, the newest that VS Code supports in full) of what a user writes: settings with defaults are optional.
 * Made when it is first asked for: that takes longer than all checks of a file that has no problem.
 */
export function experimentJsonSchema(): JsonSchema {
  return (schema ??= z.toJSONSchema(experimentSchema, { io: 'input', target: 'draft-7' }));
}
