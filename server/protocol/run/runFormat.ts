/** @file Apart from events.ts: who looks at a run folder does without the schemas of its events. */

/** Version of the run folder's format: `run.json`, `events.jsonl`, checkpoints. */
export const RUN_FORMAT_VERSION = 1;
