/** @file Settings that are each right and exclude one another, whatever the model and the data are. */
import { isRecord } from '../record.ts';
import { methodFacts } from './methods/index.ts';
import { policyFacts, policyNames, unsuitablePolicy, worksWith } from './methods/policies.ts';
import type { SettingProblem } from './problem.ts';
import { valueAt, type SettingPath } from './settingPath.ts';
import { compressionsAsWritten, type WrittenCompression } from './writtenCompression.ts';

/**
 * Checks that policies work with their methods and with the parameters of their layers, and have no settings of one another, that settings
 * of a method go together, that the best model is kept only where no compression would undo it, and the dense one left out only
 * where there is a compressed one.
 * @param document the settings as they stand in the file, before validation
 */
export function combinationProblems(document: unknown): SettingProblem[] {
  const keep = ['training', 'keep'];
  if (valueAt(document, keep) === 'compressed' && valueAt(document, ['compression']) === undefined)
    return [
      {
        path: keep,
        code: 'combination',
        at: 'value',
        message: 'a run without a compression has no compressed form to keep; leave it out',
      },
    ];
  const compressions = compressionsAsWritten(document);
  const keepBest = compressions.flatMap((compression) => keepBestProblems(document, compression));
  return [
    ...compressions.flatMap(policyProblems),
    ...compressions.flatMap(thresholdProblems),
    ...compressions.flatMap(settingProblems),
    ...compressions.flatMap(parameterProblems),
    ...compressions.flatMap(bucketProblems),
    ...compressions.flatMap(methodProblems),
    ...compressions.flatMap(rateProblems),
    ...compressions.flatMap(choiceProblems),
    ...compressions.flatMap((compression) => decayProblems(document, compression)),
    ...keepBest.slice(0, 1),
  ];
}

function policyProblems({ path, policy, method }: WrittenCompression): SettingProblem[] {
  if (!policy || !method || worksWith(policy, method)) return [];
  return [
    {
      path: [...path, 'policy'],
      code: 'combination',
      at: 'value',
      message: unsuitablePolicy(policy, method),
      related: [[...path, 'method']],
    },
  ];
}

/** Settings of a policy beside another one. */
function settingProblems({ path, settings, policy }: WrittenCompression): SettingProblem[] {
  if (!policy) return [];
  return policyNames.flatMap((other) =>
    (policyFacts[other].settings ?? []).flatMap((name): SettingProblem[] => {
      if (other === policy || valueAt(settings, [name]) === undefined) return [];
      const message = `belongs to the policy "${other}"; leave it out`;
      return [{ path: [...path, name], code: 'combination', at: 'key', message, related: [[...path, 'policy']] }];
    }),
  );
}

/** Layers whose parameters say something else than the policy needs. */
function parameterProblems({ path, policy, method, layers }: WrittenCompression): SettingProblem[] {
  if (!policy || !method || !worksWith(policy, method)) return [];
  const needed = Object.entries(policyFacts[policy].layers ?? {});
  return Object.entries(layers).flatMap(([key, parameters]) =>
    needed.flatMap(([name, value]): SettingProblem[] => {
      if (!isRecord(parameters) || parameters[name] === value) return [];
      return [
        {
          path: [...path, 'layers', key, name],
          code: 'combination',
          at: 'value',
          message: `the policy "${policy}" needs "${name}": "${value}" in each layer`,
          meant: value,
          related: [[...path, 'policy']],
        },
      ];
    }),
  );
}

/** Layers without the rate that they need. */
function rateProblems({ path, policy, method, layers }: WrittenCompression): SettingProblem[] {
  if (!policy || !method || policyFacts[policy].findsRate) return [];
  const { rises, hasThreshold } = methodFacts[method];
  if (rises === undefined) return [];
  return Object.entries(layers)
    .filter(([, layer]) => isRecord(layer) && layer[rises] === undefined && hasThreshold?.(layer) !== false)
    .map(([key]) => ({
      path: [...path, 'layers', key, rises],
      code: 'missing-setting',
      at: 'value',
      message: 'missing: expected a number in [0, 1)',
    }));
}

/** What says which weights become zero, under a policy that finds it by training. */
function choiceProblems({ path, settings, policy, method, layers }: WrittenCompression): SettingProblem[] {
  if (!policy || !method || !policyFacts[policy].findsRate) return [];
  const { chooses } = methodFacts[method];
  const places = [
    ...(chooses?.settings ?? []).map((name) => [name]),
    ...Object.keys(layers).flatMap((key) => (chooses?.parameters ?? []).map((name) => ['layers', key, name])),
  ];
  return places
    .filter((place) => valueAt(settings, place) !== undefined)
    .map((place) => ({
      path: [...path, ...place],
      code: 'combination',
      at: 'key',
      message: `"${policy}" finds by training which weights become zero; leave it out`,
      related: [[...path, 'policy']],
    }));
}

/** A decay of weights under a policy whose variances would decay, too. */
function decayProblems(document: unknown, { path, policy }: WrittenCompression): SettingProblem[] {
  const decay = ['training', 'optimizer', 'weightDecay'];
  const value = valueAt(document, decay);
  if (!policy || !policyFacts[policy].excludesWeightDecay || typeof value !== 'number' || value === 0) return [];
  const message = `"${policy}" has a prior of its own for weights and variances, which would decay; leave it out`;
  return [{ path: decay, code: 'combination', at: 'key', message, related: [[...path, 'policy']] }];
}

/** Layers whose numbers are not scaled, under a policy that needs the ends of buckets. */
function bucketProblems({ path, policy, layers }: WrittenCompression): SettingProblem[] {
  if (!policy || !policyFacts[policy].needsBuckets) return [];
  return Object.keys(layers).flatMap((key): SettingProblem[] => {
    if (valueAt(layers, [key, 'bucket']) !== 'none') return [];
    return [
      {
        path: [...path, 'layers', key, 'bucket'],
        code: 'combination',
        at: 'value',
        message: `the policy "${policy}" has levels between the ends of buckets, and "none" has no ends; "tensor" makes the weight one bucket`,
        meant: 'tensor',
        related: [[...path, 'policy']],
      },
    ];
  });
}

/** Layers whose weights are chosen by no threshold, under a policy that needs one. */
function thresholdProblems({ path, policy, method, layers }: WrittenCompression): SettingProblem[] {
  if (!policy || !method || !worksWith(policy, method) || !policyFacts[policy].needsThreshold) return [];
  return Object.entries(layers)
    .filter(([, layer]) => methodFacts[method].hasThreshold?.(layer) === false)
    .map(([key]) => ({
      path: [...path, 'layers', key],
      code: 'combination',
      at: 'key',
      message: `"${policy}" needs a threshold, and this pattern has none`,
      related: [[...path, 'policy']],
    }));
}

function methodProblems({ path, settings, method }: WrittenCompression): SettingProblem[] {
  const problems = method && methodFacts[method].combinationProblems?.(settings);
  const within = (inner: SettingPath) => [...path, ...inner];
  return (problems ?? []).map((problem) => ({
    ...problem,
    path: within(problem.path),
    related: problem.related?.map(within),
  }));
}

function keepBestProblems(document: unknown, { path, policy }: WrittenCompression): SettingProblem[] {
  const keepBest = ['training', 'keepBest'];
  if (!policy || valueAt(document, keepBest) !== true || policyFacts[policy].ignoresSchedule) return [];
  return [
    {
      path: keepBest,
      code: 'combination',
      at: 'value',
      message: `a run that compresses while it trains (${policy}) ends with its last step; leave it out, or compress at once after training with "policy": "one-shot"`,
      related: [[...path, 'policy']],
    },
  ];
}
