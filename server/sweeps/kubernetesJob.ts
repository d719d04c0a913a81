/**
 * @file A sweep as an Indexed Job of Kubernetes (batch/v1): its pod of index i trains line i + 1 of the plan, and a pod that is evicted is replaced by one that goes
 * on from the run's checkpoint.
 */
import { dirname, isAbsolute, relative } from 'node:path';
import { ExitCode, UserError } from '../protocol/userError.ts';
import { shellWord } from '../protocol/shellWord.ts';
import type { Sweep } from './sweepFolder.ts';

export interface JobOptions {
  readonly image: string;
  readonly volumes: readonly { readonly claim: string; readonly path: string }[];
  /** Runs at a time; default: all of them. */
  readonly parallel?: number | undefined;
  /** What each run asks for and may take, such as `cpu`: `2`. */
  readonly resources: readonly (readonly [name: string, quantity: string])[];
}

/** Failures of one run that are tried again: each goes on from its last checkpoint. */
const RETRIES = 3;
/** Names of Kubernetes: RFC 1123. */
const LONGEST_NAME = 52;

/**
 * The options of a Job as the command line gives them.
 * @throws UserError for one that is missing, or that Kubernetes would refuse
 */
export function jobOptions({
  image,
  volume = [],
  parallel,
  resources,
}: {
  image?: string;
  volume?: readonly string[];
  parallel?: string;
  resources?: string;
}): JobOptions {
  const wrong = (message: string, remedy: string) =>
    new UserError(`deeptwist sweep: ${message}.`, { remedy, exitCode: ExitCode.usage });
  if (image === undefined || image.trim() === '')
    throw wrong(
      'a Job of Kubernetes needs --image',
      'Name an image with Node and deeptwist: --image registry.local/deeptwist:1',
    );
  if (volume.length === 0)
    throw wrong(
      'a Job of Kubernetes needs --volume',
      'Name the claim of the volume on which the project is, and the path at which it is mounted here: --volume data:/mnt/data',
    );
  const volumes = volume.map((text) => {
    const [, claim, path] = /^([a-z0-9][a-z0-9.-]*):(\/.*)$/.exec(text) ?? [];
    if (claim === undefined)
      throw wrong(`--volume cannot be '${text}'`, 'Give CLAIM:PATH, such as --volume data:/mnt/data');
    return { claim, path };
  });
  const asked = (resources ?? '')
    .split(',')
    .filter((part) => part !== '')
    .map((part): [string, string] => {
      const [, name, quantity] = /^([\w./-]+)=(\d+(?:\.\d+)?(?:m|k|M|G|T|Ki|Mi|Gi|Ti)?)$/.exec(part.trim()) ?? [];
      if (name === undefined)
        throw wrong(`--resources cannot be '${part}'`, 'Give NAME=QUANTITY, such as --resources cpu=2,memory=4Gi');
      return [name, quantity];
    });
  return { image, volumes, resources: asked, ...(parallel !== undefined && { parallel: Number(parallel) }) };
}

/**
 * @param paths folders that the containers read and write
 * @throws UserError for one that is on none of the volumes
 */
export function checkVolumes(paths: readonly string[], volumes: JobOptions['volumes']): void {
  for (const path of paths) {
    if (volumes.some((volume) => isBelow(path, volume.path))) continue;
    throw new UserError(
      `${path} is on none of the volumes of the Job: ${volumes.map((volume) => volume.path).join(', ')}.`,
      {
        remedy:
          'Give --volume CLAIM:PATH with the path at which the volume is mounted here; the containers mount it there, too.',
        exitCode: ExitCode.usage,
      },
    );
  }
}

/**
 * The Job as YAML.
 * @throws UserError where the sweep is on none of its volumes
 */
export function kubernetesJob(sweep: Sweep, { image, volumes, parallel, resources }: JobOptions): string {
  checkVolumes([sweep.path, sweep.runs, dirname(sweep.experiment)], volumes);
  const count = sweep.plan.length;
  const command = `exec deeptwist sweep ${shellWord(sweep.path)} --task $((JOB_COMPLETION_INDEX + 1))`;
  const limits = resources.map(([name, quantity]) => `                ${text(name)}: ${text(quantity)}`);
  return [
    'apiVersion: batch/v1',
    'kind: Job',
    'metadata:',
    `  name: ${text(jobName(sweep.id))}`,
    '  labels:',
    '    app.kubernetes.io/name: deeptwist',
    '  annotations:',
    `    deeptwist/sweep: ${text(sweep.id)}`,
    'spec:',
    '  completionMode: Indexed',
    `  completions: ${count}`,
    `  parallelism: ${Math.min(parallel ?? count, count)}`,
    '  # A run that fails does not end the others (Kubernetes 1.33; 1.29 with its feature gate).',
    `  backoffLimitPerIndex: ${RETRIES}`,
    `  maxFailedIndexes: ${count}`,
    '  # No second pod of a run before the first has ended.',
    '  podReplacementPolicy: Failed',
    '  podFailurePolicy:',
    '    rules:',
    '      # Evicted, preempted, or its node is gone: the next pod goes on from the checkpoint, and this counts as no failure.',
    '      - action: Ignore',
    '        onPodConditions:',
    '          - type: DisruptionTarget',
    '            status: "True"',
    '      # A setting or the command line is wrong: that fails again.',
    '      - action: FailIndex',
    '        onExitCodes:',
    '          containerName: run',
    '          operator: In',
    `          values: [${ExitCode.usage}]`,
    '  template:',
    '    metadata:',
    '      labels:',
    '        app.kubernetes.io/name: deeptwist',
    '    spec:',
    '      restartPolicy: Never',
    '      # From SIGTERM to SIGKILL, seconds: a step and a checkpoint fit in.',
    '      terminationGracePeriodSeconds: 120',
    '      containers:',
    '        - name: run',
    `          image: ${text(image)}`,
    `          workingDir: ${text(dirname(sweep.experiment))}`,
    `          command: ["/bin/sh", "-c", ${text(command)}]`,
    '          env:',
    '            # A later process of the same run takes over what an earlier one has left locked.',
    '            - name: DEEPTWIST_JOB',
    '              valueFrom:',
    '                fieldRef:',
    `                  fieldPath: metadata.labels['batch.kubernetes.io/controller-uid']`,
    ...(limits.length === 0
      ? []
      : ['          resources:', '              requests:', ...limits, '              limits:', ...limits]),
    '          volumeMounts:',
    ...volumes.flatMap(({ path }, i) => [`            - name: volume-${i}`, `              mountPath: ${text(path)}`]),
    '      volumes:',
    ...volumes.flatMap(({ claim }, i) => [
      `        - name: volume-${i}`,
      '          persistentVolumeClaim:',
      `            claimName: ${text(claim)}`,
    ]),
    '',
  ].join('\n');
}

function isBelow(path: string, folder: string): boolean {
  const rest = relative(folder, path);
  return rest !== '..' && !rest.startsWith('../') && !isAbsolute(rest);
}

/** Lower case, of letters, digits and hyphens, the end of a long one: there is what differs. */
function jobName(id: string): string {
  const name = `deeptwist-${id}`.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  return name.slice(0, LONGEST_NAME).replace(/-+$/, '');
}

/** A scalar of YAML: a text of JSON is one. */
function text(value: string): string {
  return JSON.stringify(value);
}
