/** @file The Job of Kubernetes, read by a YAML parser and held against the fields of batch/v1 and of core/v1 in it. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';
import { jobOptions, kubernetesJob } from '../../../server/sweeps/kubernetesJob.ts';
import { createSweep } from '../../../server/sweeps/sweepFolder.ts';
import { temporaryFolder } from '../runs/temporaryRun.ts';

const name = z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);
const quantities = z.record(z.string(), z.string().regex(/^\d+(\.\d+)?(m|k|[MGT]i?|Ki)?$/));
/** Fields of the API reference of Kubernetes 1.33, those that the Job uses, and no others. */
const job = z.strictObject({
  apiVersion: z.literal('batch/v1'),
  kind: z.literal('Job'),
  metadata: z.strictObject({
    name,
    labels: z.record(z.string(), z.string()),
    annotations: z.record(z.string(), z.string()),
  }),
  spec: z.strictObject({
    completionMode: z.enum(['NonIndexed', 'Indexed']),
    completions: z.int().positive(),
    parallelism: z.int().positive(),
    backoffLimitPerIndex: z.int().min(0),
    maxFailedIndexes: z.int().min(0).max(100_000),
    podReplacementPolicy: z.enum(['TerminatingOrFailed', 'Failed']),
    podFailurePolicy: z.strictObject({
      rules: z.array(
        z.strictObject({
          action: z.enum(['FailJob', 'FailIndex', 'Ignore', 'Count']),
          onPodConditions: z.array(z.strictObject({ type: z.string(), status: z.enum(['True', 'False', 'Unknown']) })).optional(), // prettier-ignore
          onExitCodes: z.strictObject({ containerName: z.string(), operator: z.enum(['In', 'NotIn']), values: z.array(z.int().min(1)) }).optional(), // prettier-ignore
        }),
      ),
    }),
    template: z.strictObject({
      metadata: z.strictObject({ labels: z.record(z.string(), z.string()) }),
      spec: z.strictObject({
        // podFailurePolicy asks for it.
        restartPolicy: z.literal('Never'),
        terminationGracePeriodSeconds: z.int().positive(),
        containers: z.array(
          z.strictObject({
            name,
            image: z.string(),
            workingDir: z.string(),
            command: z.array(z.string()),
            env: z.array(z.strictObject({ name: z.string(), valueFrom: z.strictObject({ fieldRef: z.strictObject({ fieldPath: z.string() }) }) })), // prettier-ignore
            resources: z.strictObject({ requests: quantities, limits: quantities }).optional(),
            volumeMounts: z.array(z.strictObject({ name, mountPath: z.string().startsWith('/') })),
          }),
        ),
        volumes: z.array(z.strictObject({ name, persistentVolumeClaim: z.strictObject({ claimName: z.string() }) })),
      }),
    }),
  }),
});

async function sweepOf(file: string, runs = 12, out?: string) {
  const folder = join(await temporaryFolder(), 'a project: #1');
  await mkdir(folder);
  const experiment = join(folder, file);
  await writeFile(experiment, '{}');
  const combinations = Array.from({ length: runs }, (_, i) => [`training.seed=${i}`]);
  return { folder, sweep: await createSweep({ experiment, text: '{}', overrides: [], combinations, out }) };
}

test('a sweep is an Indexed Job whose pod of index i trains line i + 1 where its volume is here, too', async () => {
  const { folder, sweep } = await sweepOf('Le_Net "5".deeptwist.jsonc');
  const options = jobOptions({ image: 'registry.local/deeptwist:1', volume: [`data:${folder}`, 'more:/mnt/more'], parallel: '4', resources: 'cpu=2,memory=4Gi,nvidia.com/gpu=1' }); // prettier-ignore
  const { spec, metadata } = job.parse(parse(kubernetesJob(sweep, options)));
  expect(metadata.annotations).toEqual({ 'deeptwist/sweep': sweep.id });
  expect(spec).toMatchObject({ completionMode: 'Indexed', completions: 12, parallelism: 4 });
  const [container] = spec.template.spec.containers;
  expect(container.image).toBe('registry.local/deeptwist:1');
  expect(container.workingDir).toBe(folder);
  expect(container.command[2]).toBe(`exec deeptwist sweep '${sweep.path}' --task $((JOB_COMPLETION_INDEX + 1))`);
  expect(container.resources?.requests).toEqual({ cpu: '2', memory: '4Gi', 'nvidia.com/gpu': '1' });
  expect(container.resources?.limits).toEqual(container.resources?.requests);
  expect(container.volumeMounts).toEqual([{ name: 'volume-0', mountPath: folder }, { name: 'volume-1', mountPath: '/mnt/more' }]); // prettier-ignore
  expect(spec.template.spec.volumes[1]).toEqual({ name: 'volume-1', persistentVolumeClaim: { claimName: 'more' } });
  // What is evicted counts as no failure; what the user has written wrong is not tried again.
  expect(spec.podFailurePolicy.rules.map(({ action }) => action)).toEqual(['Ignore', 'FailIndex']);
});

test('all runs are at a time where the user does not say, and a long name is cut', async () => {
  const { folder, sweep } = await sweepOf(`${'x'.repeat(90)}.deeptwist.jsonc`, 3);
  const { spec, metadata } = job.parse(parse(kubernetesJob(sweep, jobOptions({ image: 'i', volume: [`data:${folder}`] })))); // prettier-ignore
  expect(spec.parallelism).toBe(3);
  expect(metadata.name.length).toBeLessThanOrEqual(52);
  expect(spec.template.spec.containers[0]).not.toHaveProperty('resources');
});

test('a sweep, or runs of it, on none of the volumes is refused, with the path', async () => {
  const { sweep } = await sweepOf('a.deeptwist.jsonc');
  expect(() => kubernetesJob(sweep, jobOptions({ image: 'i', volume: ['data:/mnt/data'] }))).toThrow(
    `${sweep.path} is on none of the volumes of the Job: /mnt/data.`,
  );
  const elsewhere = await sweepOf('a.deeptwist.jsonc', 2, '/elsewhere/runs');
  expect(() => kubernetesJob(elsewhere.sweep, jobOptions({ image: 'i', volume: [`data:${elsewhere.folder}`] }))).toThrow('/elsewhere/runs is on none'); // prettier-ignore
});

test.each([
  [{ volume: ['data:/mnt'] }, 'needs --image'],
  [{ image: 'i' }, 'needs --volume'],
  [{ image: 'i', volume: ['data'] }, "--volume cannot be 'data'"],
  [{ image: 'i', volume: ['Data:/mnt'] }, "--volume cannot be 'Data:/mnt'"],
  [{ image: 'i', volume: ['data:/mnt'], resources: 'cpu' }, "--resources cannot be 'cpu'"],
  [{ image: 'i', volume: ['data:/mnt'], resources: 'memory=lots' }, "--resources cannot be 'memory=lots'"],
])('options that make no Job are refused: %j', (options, message) => {
  expect(() => jobOptions(options)).toThrow(message);
});
