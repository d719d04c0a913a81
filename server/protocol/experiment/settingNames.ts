/** @file The names of all settings that an experiment has or can have, for completions. */
import { isRecord } from '../record.ts';
import { knownKeys, schemaAt } from './expectation.ts';
import { experimentJsonSchema, type JsonSchema } from './experimentJsonSchema.ts';
import { valueAt, type SettingPath } from './settingPath.ts';

export interface NamedSetting {
  readonly path: SettingPath;
  readonly schema: JsonSchema;
  /** The value that it has; undefined where it has none. */
  readonly value: unknown;
}

/**
 * The settings with a value or an object that they can have as one, in the order of the file and then of the schema. What is in an object is
 * there in its place.
 * @param document the settings as they stand in the file
 */
export function namedSettings(document: unknown): NamedSetting[] {
  const schema = experimentJsonSchema();
  const all: NamedSetting[] = [];
  const visit = (path: SettingPath) => {
    const object = valueAt(document, path);
    const keys = new Set([...Object.keys(isRecord(object) ? object : {}), ...knownKeys(schema, document, path)]);
    for (const key of keys) {
      const inner = [...path, key];
      const node = schemaAt(schema, document, inner);
      const value = valueAt(document, inner);
      if (isRecord(value)) visit(inner);
      else if (key !== '$schema' && node) all.push({ path: inner, schema: node, value });
    }
  };
  visit([]);
  return all;
}
