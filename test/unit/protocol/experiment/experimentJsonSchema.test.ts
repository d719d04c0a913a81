import { describe, expect, it } from 'vitest';
import { experimentJsonSchema } from '../../../../server/protocol/experiment/experimentJsonSchema.ts';

describe('experimentJsonSchema', () => {
  const schema = experimentJsonSchema();
  const training = schema.properties?.training as { required: string[]; properties: Record<string, object> };

  it('requires only the settings without a default', () => {
    expect(schema.required).toEqual(['model', 'data', 'training']);
    expect(training.required).toEqual(['optimizer', 'batchSize']);
  });

  it('carries the descriptions and the limits of settings', () => {
    expect(training.properties.checkpointEvery).toMatchObject({
      default: 1000,
      exclusiveMinimum: 0,
      description: 'Steps between two checkpoints.',
    });
  });

  it('is plain JSON that refuses unknown settings', () => {
    expect(JSON.parse(JSON.stringify(schema))).toEqual(schema);
    expect(schema).toMatchObject({ $schema: 'http://json-schema.org/draft-07/schema#', additionalProperties: false });
  });
});
