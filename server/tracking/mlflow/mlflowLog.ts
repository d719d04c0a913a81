/**
 * @file A run as a run of MLflow. How far it was sent is kept in the run folder; the run on the server has the id of ours as a tag, so
 * that it is found again without that. What is sent a second time changes nothing: MLflow keeps equal points of a metric once.
 */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import * as z from 'zod';
import { flattenSettings } from '../../protocol/experiment/flattenSettings.ts';
import { describeChange } from '../../protocol/experiment/settingChanges.ts';
import type { EventOf, RunEvent } from '../../protocol/run/events.ts';
import { UserError } from '../../protocol/userError.ts';
import type { LogPart, LogPlace } from '../../runs/log/readEvents.ts';
import { EXPERIMENT_FILE, type Run } from '../../runs/run.ts';
import type { EventSink } from '../followRun.ts';
import { placeSchema, Position } from '../position.ts';
import { compressedWeightsSchema, scalarsOf } from '../scalars.ts';
import { RefusedRequestError, ServerAwayError, type MlflowServer } from './mlflowServer.ts';

/** Limits of a request of `runs/log-batch`. */
const MOST_METRICS = 1000;
const MOST_PARAMS = 100;
const LONGEST_PARAM = 6000;
const LONGEST_TAG = 8000;
const LONGEST_KEY = 250;
/** A compressed model is sent along where it is not larger, in bytes. */
const LARGEST_MODEL = 32 * 1024 * 1024;
const MODEL_FILE = 'compressed.safetensors';

const RUN_TAG = 'deeptwist.run';
const CREATED_TAG = 'deeptwist.created';

/** The server and the experiment that a run is sent to. */
export interface MlflowTarget {
  readonly server: MlflowServer;
  /** Name of the experiment on the server, which is made where there is none. */
  readonly experiment: string;
}

const positionSchema = z.object({
  uri: z.string(),
  experiment: z.string(),
  runId: z.string().describe('Of the run on the server.'),
  artifactUri: z.string(),
  place: placeSchema.optional(),
  compressed: compressedWeightsSchema,
  paramsSent: z.boolean(),
  lastSteps: z
    .record(z.string(), z.number())
    .describe(
      'The last step of each metric that was sent: a run that goes back to a checkpoint does steps again, to the same values.',
    ),
});

type MlflowPosition = z.output<typeof positionSchema>;

interface Metric {
  key: string;
  value: number | string;
  timestamp: number;
  step: number;
}

interface KeyValue {
  key: string;
  value: string;
}

const nothing = z.object({});
const runInfo = z.object({
  run_id: z.string(),
  artifact_uri: z.string(),
  lifecycle_stage: z.string().default('active'),
});
const oneRun = z.object({ run: z.object({ info: runInfo }) });
const runList = z.object({ runs: z.array(z.object({ info: runInfo })).default([]) });
const experimentId = z.object({ experiment_id: z.string() });

export class MlflowLog implements EventSink {
  readonly #run: Run;
  readonly #server: MlflowServer;
  readonly #position: Position<MlflowPosition>;
  #at: MlflowPosition;

  private constructor(run: Run, server: MlflowServer, position: Position<MlflowPosition>, at: MlflowPosition) {
    this.#run = run;
    this.#server = server;
    this.#position = position;
    this.#at = at;
  }

  /**
   * Finds the run on the server, or makes it.
   * @throws ServerAwayError, RefusedRequestError
   */
  static async open(run: Run, { server, experiment }: MlflowTarget): Promise<MlflowLog> {
    const key = createHash('sha256').update(`${server.uri}\n${experiment}`).digest('hex').slice(0, 12);
    const file = join(run.path, `mlflow-${key}.json`);
    const position = await Position.open(file, positionSchema, `to the MLflow server ${server.uri}`);
    try {
      const known = await position.read();
      const isThere = known !== undefined && (await isActive(server, known.runId));
      const at = isThere ? known : await beginning(run, server, experiment);
      await position.write(at);
      return new MlflowLog(run, server, position, at);
    } catch (error) {
      await position.close();
      throw error;
    }
  }

  get place(): LogPlace | undefined {
    return this.#at.place;
  }

  /** The page of the run. */
  get page(): string {
    return `${this.#server.uri}/#/runs/${this.#at.runId}`;
  }

  async take({ events, place }: LogPart): Promise<void> {
    const { compressed, lastSteps } = this.#at;
    const at = { ...this.#at, place, compressed: { ...compressed }, lastSteps: { ...lastSteps } };
    const metrics: Metric[] = [];
    const params: KeyValue[] = [];
    const tags: KeyValue[] = [];
    for (const event of events) {
      for (const { name, value } of scalarsOf(event, at.compressed)) {
        const key = metricKey(name);
        if (event.step <= (at.lastSteps[key] ?? -1)) continue;
        at.lastSteps[key] = event.step;
        metrics.push({ key, value: jsonNumber(value), timestamp: event.time, step: event.step });
      }
      if (event.type === 'started' && !at.paramsSent) {
        params.push(...paramsOf(event));
        at.paramsSent = true;
      }
      tags.push(...tagsOf(event));
    }
    await this.#send(metrics, params, tags);
    for (const event of events) await this.#tellState(event);
    this.#at = at;
    await this.#position.write(at);
  }

  async close(): Promise<void> {
    await this.#position.close();
  }

  async #send(metrics: readonly Metric[], params: readonly KeyValue[], tags: readonly KeyValue[]): Promise<void> {
    const { runId } = this.#at;
    const log = (batch: Readonly<Record<string, unknown>>) =>
      this.#server.post('runs/log-batch', { run_id: runId, ...batch }, nothing);
    for (const batch of batchesOf(params, MOST_PARAMS)) await log({ params: batch });
    // The last of a key counts, and a request has each once.
    const lastTags = [...new Map(tags.map((tag) => [tag.key, tag])).values()];
    if (lastTags.length > 0) await log({ tags: lastTags });
    for (const batch of batchesOf(metrics, MOST_METRICS)) await log({ metrics: batch });
  }

  async #tellState(event: RunEvent): Promise<void> {
    const status = statusAfter(event);
    if (status === undefined) return;
    if (event.type === 'started') await this.#sendFile(EXPERIMENT_FILE, this.#run.experimentFile);
    if (event.type === 'finished') {
      const model = join(this.#run.modelFolder, MODEL_FILE);
      const found = await stat(model).catch(() => undefined);
      if (found && found.size <= LARGEST_MODEL) await this.#sendFile(`model/${MODEL_FILE}`, model);
    }
    const ended = event.type === 'started' ? {} : { end_time: event.time };
    await this.#server.post('runs/update', { run_id: this.#at.runId, status, ...ended }, nothing);
  }

  /** Sent only if the server passes artifacts on; else a client would need the keys of the store. A tag tells of a file that is refused. */
  async #sendFile(name: string, path: string): Promise<void> {
    const folder = /^mlflow-artifacts:\/+(?<folder>[^?#]+)$/.exec(this.#at.artifactUri)?.groups?.folder;
    if (folder === undefined) return;
    const content = new Uint8Array(await readFile(path));
    try {
      await this.#server.putArtifact(`${folder}/${name}`, content);
    } catch (error) {
      if (!(error instanceof UserError) || (error instanceof ServerAwayError && error.isUnreachable)) throw error;
      // The store of the files has a fault of its own (no credentials, a limit of size), which keeps nothing else from being sent.
      const value = `not kept: ${error.message}`.slice(0, LONGEST_TAG);
      await this.#send([], [], [{ key: `deeptwist.artifact.${basename(name)}`, value }]);
    }
  }
}

async function isActive(server: MlflowServer, runId: string): Promise<boolean> {
  try {
    const { run } = await server.get('runs/get', { run_id: runId }, oneRun);
    return run.info.lifecycle_stage === 'active';
  } catch (error) {
    if (isMissingResource(error)) return false;
    throw error;
  }
}

async function beginning(run: Run, server: MlflowServer, experiment: string): Promise<MlflowPosition> {
  const id = await experimentNamed(server, experiment);
  const { runs } = await server.post(
    'runs/search',
    {
      experiment_ids: [id],
      filter: `tags."${RUN_TAG}" = '${run.id.replaceAll("'", '')}' and tags."${CREATED_TAG}" = '${run.record.created}'`,
      max_results: 1,
    },
    runList,
  );
  const info = runs[0]?.info ?? (await createdRun(run, server, id));
  return {
    uri: server.uri,
    experiment,
    runId: info.run_id,
    artifactUri: info.artifact_uri,
    compressed: {},
    paramsSent: false,
    lastSteps: {},
  };
}

async function experimentNamed(server: MlflowServer, name: string): Promise<string> {
  const find = async () => {
    const { experiment } = await server.get(
      'experiments/get-by-name',
      { experiment_name: name },
      z.object({ experiment: experimentId }),
    );
    return experiment.experiment_id;
  };
  try {
    return await find();
  } catch (error) {
    if (!isMissingResource(error)) throw error;
  }
  try {
    return (await server.post('experiments/create', { name }, experimentId)).experiment_id;
  } catch (error) {
    // Another run has made it at the same moment.
    if (error instanceof RefusedRequestError && error.code === 'RESOURCE_ALREADY_EXISTS') return find();
    throw error;
  }
}

async function createdRun(run: Run, server: MlflowServer, experiment: string): Promise<z.output<typeof runInfo>> {
  const { record, id } = run;
  const tags: KeyValue[] = [
    { key: RUN_TAG, value: id },
    { key: CREATED_TAG, value: record.created },
    { key: 'mlflow.source.name', value: `${record.name}.deeptwist.jsonc` },
    { key: 'mlflow.source.type', value: 'LOCAL' },
  ];
  const body = { experiment_id: experiment, run_name: id, start_time: Date.parse(record.created), tags };
  return (await server.post('runs/create', body, oneRun)).run.info;
}

function isMissingResource(error: unknown): boolean {
  return error instanceof RefusedRequestError && error.code === 'RESOURCE_DOES_NOT_EXIST';
}

function paramsOf({ config }: EventOf<'started'>): KeyValue[] {
  return [...flattenSettings(config)].map(([name, value]) => ({
    key: metricKey(name),
    value: value.slice(0, LONGEST_PARAM),
  }));
}

function tagsOf(event: RunEvent): KeyValue[] {
  const tag = (key: string, value: string): KeyValue[] => [
    { key: `deeptwist.${key}`, value: value.slice(0, LONGEST_TAG) },
  ];
  switch (event.type) {
    case 'started':
      return [...tag('device', event.device), ...tag('executor', event.executor)];
    case 'changed':
      return tag('changed', `step ${event.step}: ${event.settings.map(describeChange).join(', ')}`);
    case 'warning':
      return tag('warning', event.message);
    case 'failed':
      return tag('failure', event.message);
    default:
      return [];
  }
}

function statusAfter({ type }: RunEvent): 'RUNNING' | 'FINISHED' | 'FAILED' | 'KILLED' | undefined {
  switch (type) {
    case 'started':
      return 'RUNNING';
    case 'finished':
      return 'FINISHED';
    case 'failed':
      return 'FAILED';
    case 'stopped':
      return 'KILLED';
    default:
      return undefined;
  }
}

/** MLflow takes letters, digits, `_`, `-`, `.`, space and `/`, as the path of a file that is below its folder. */
function metricKey(name: string): string {
  return name
    .replaceAll(/[^\w\-. /]/g, '_')
    .split('/')
    .map((part) => (/^\.*$/.test(part) ? '_' : part))
    .join('/')
    .slice(0, LONGEST_KEY);
}

/** What is not finite is a text in JSON of protocol buffers. */
function jsonNumber(value: number): number | string {
  return Number.isFinite(value) ? value : Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity';
}

function* batchesOf<T>(items: readonly T[], most: number): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += most) yield items.slice(start, start + most);
}
