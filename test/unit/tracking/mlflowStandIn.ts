/** @file A server that answers as MLflow 3.17's did (`npm run bench -- mlflow` asks the real one), and keeps what it is sent. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

interface Point {
  readonly key: string;
  readonly value: number | string;
  readonly timestamp: number;
  readonly step: number;
}

interface KeyValue {
  readonly key: string;
  readonly value: string;
}

export interface KeptRun {
  readonly id: string;
  readonly experiment: string;
  status: string;
  readonly params: Map<string, string>;
  readonly tags: Map<string, string>;
  /** Equal points once, as MLflow's table of metrics has them. */
  readonly points: Map<string, Point>;
}

export type Refusal = readonly [status: number, body: unknown];

export class MlflowStandIn {
  readonly runs: KeptRun[] = [];
  readonly experiments = new Map<string, string>();
  readonly artifacts = new Map<string, Buffer>();
  readonly requests: { method: string; path: string; authorization: string | undefined; items: number }[] = [];
  /** Answers a request in the place of what follows, or never; undefined: it does not. */
  refuse: (path: string) => Refusal | 'never' | undefined = () => undefined;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async start(port = 0): Promise<MlflowStandIn> {
    const standIn = new MlflowStandIn();
    await new Promise<void>((resolve) => standIn.#server.listen(port, '127.0.0.1', resolve));
    return standIn;
  }

  /** Starts a server that ends with the test that runs now. */
  static async startForTest(): Promise<MlflowStandIn> {
    const standIn = await MlflowStandIn.start();
    onTestFinished(() => standIn.stop());
    return standIn;
  }

  /** The address of a server that has ended. */
  static async addressOfNone(): Promise<string> {
    const standIn = await MlflowStandIn.start();
    const { uri } = standIn;
    await standIn.stop();
    return uri;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get uri(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Steps and values of a metric. */
  history(key: string, run = this.runs[0]): (readonly [number, number | string])[] {
    return [...run.points.values()].filter((point) => point.key === key).map(({ step, value }) => [step, value]);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const { pathname: path, searchParams } = new URL(request.url ?? '', this.uri);
    const json = request.method === 'POST' ? (JSON.parse(body.toString()) as Record<string, unknown>) : {};
    const items = ['metrics', 'params', 'tags'].reduce((sum, key) => sum + ((json[key] as unknown[]) ?? []).length, 0);
    const { authorization } = request.headers;
    this.requests.push({ method: request.method ?? '', path, authorization, items });
    const refusal = this.refuse(path);
    if (refusal === 'never') return;
    const [status, answer] =
      refusal ??
      (request.method === 'PUT'
        ? this.#keep(path, body)
        : this.#api(path.replace('/api/2.0/mlflow/', ''), json, searchParams));
    response.writeHead(status, { 'Content-Type': 'application/json' });
    response.end(typeof answer === 'string' ? answer : JSON.stringify(answer));
  }

  #keep(path: string, body: Buffer): Refusal {
    this.artifacts.set(path.replace(/^.*\/artifacts\//, ''), body);
    return [200, {}];
  }

  #api(method: string, body: Record<string, unknown>, query: URLSearchParams): Refusal {
    switch (method) {
      case 'experiments/get-by-name': {
        const id = this.experiments.get(query.get('experiment_name') ?? '');
        return id === undefined ? missing('Could not find experiment') : [200, { experiment: { experiment_id: id } }];
      }
      case 'experiments/create': {
        const id = String(this.experiments.size + 1);
        this.experiments.set(String(body.name), id);
        return [200, { experiment_id: id }];
      }
      case 'runs/search': {
        const found = this.runs.find(({ tags }) => String(body.filter).includes(`'${tags.get('deeptwist.run')}'`));
        return [200, found ? { runs: [this.#described(found)] } : {}];
      }
      case 'runs/create': {
        const run: KeptRun = {
          id: `run${this.runs.length}`,
          experiment: String(body.experiment_id),
          status: 'RUNNING',
          params: new Map(),
          tags: new Map((body.tags as KeyValue[]).map(({ key, value }) => [key, value])),
          points: new Map(),
        };
        this.runs.push(run);
        return [200, { run: this.#described(run) }];
      }
      case 'runs/get': {
        const run = this.runs.find(({ id }) => id === query.get('run_id'));
        return run ? [200, { run: this.#described(run) }] : missing('Run with id=… not found');
      }
      case 'runs/log-batch':
        return this.#logBatch(body as { run_id: string; metrics?: Point[]; params?: KeyValue[]; tags?: KeyValue[] });
      case 'runs/update': {
        const run = this.runs.find(({ id }) => id === body.run_id);
        if (!run) return missing('Run not found');
        run.status = String(body.status);
        return [200, { run_info: {} }];
      }
      default:
        return [404, '<!doctype html><title>404 Not Found</title>'];
    }
  }

  #logBatch({
    run_id: id,
    metrics = [],
    params = [],
    tags = [],
  }: {
    run_id: string;
    metrics?: Point[];
    params?: KeyValue[];
    tags?: KeyValue[];
  }): Refusal {
    const run = this.runs.find((one) => one.id === id);
    if (!run) return missing('Run not found');
    if (metrics.length > 1000 || params.length > 100 || tags.length > 100)
      return [400, { error_code: 'INVALID_PARAMETER_VALUE', message: 'A batch logging request can contain at most …' }];
    for (const { key, value } of params) {
      const known = run.params.get(key);
      if (known !== undefined && known !== value)
        return [400, { error_code: 'INVALID_PARAMETER_VALUE', message: 'Changing param values is not allowed.' }];
      run.params.set(key, value);
    }
    for (const { key, value } of tags) run.tags.set(key, value);
    for (const point of metrics) run.points.set(JSON.stringify(point), point);
    return [200, {}];
  }

  #described({ id, experiment, status }: KeptRun) {
    const artifactUri = `mlflow-artifacts:/${experiment}/${id}/artifacts`;
    return { info: { run_id: id, status, artifact_uri: artifactUri, lifecycle_stage: 'active' } };
  }
}

function missing(message: string): Refusal {
  return [404, { error_code: 'RESOURCE_DOES_NOT_EXIST', message }];
}
