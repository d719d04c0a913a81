/** @file Traces a {@link Program} for one batch size into the graphs of its training step and its evaluation. */
import * as tf from '@tensorflow/tfjs';
import { cast, constant, input, parameter } from '../build.ts';
import type { Graph, Node } from '../ir.ts';
import { importDType } from '../import/elementwise.ts';
import { UnsupportedKernel } from '../import/kernel.ts';
import { calledLayers, frozenName } from '../frozenModel.ts';
import { withParts, type Predictor, type Program, type SampleType } from '../program.ts';
import { portName } from '../ports.ts';
import { firstDifference } from './firstDifference.ts';
import { explainingLayers } from './layerErrors.ts';
import { record, type Recording } from './recordingBackend.ts';
import { keepRecurrentLayers } from './recurrentLayers.ts';
import { nestedLayers, statefulLayers, type NamedStatefulLayer } from './statefulLayers.ts';

/** @throws UnsupportedKernel when the step does something that the compiler cannot express */
export async function traceTraining(program: Program, batchSize: number): Promise<Graph> {
  return traceTwice(program, 'trained', (recording, outputs) => {
    const { inputs, targets } = placeholders(recording, program, batchSize);
    const trained = program.weights.filter((weight) => weight.trainable);
    const { value, grads } = tf.variableGrads(
      () => {
        const { total, parts, shares } = withParts(program.loss(inputs, targets));
        for (const [name, part] of Object.entries(parts)) outputs.set(portName.lossPart(name), recording.node(part));
        for (const [name, share] of Object.entries(shares)) outputs.set(portName.share(name), recording.node(share));
        return total;
      },
      trained.map((weight) => weight.variable),
    );
    outputs.set(portName.loss, recording.node(value));
    for (const { name, variable } of trained) {
      const gradient = grads[variable.name] as tf.Tensor | undefined;
      // A weight that the loss does not depend on.
      outputs.set(portName.gradient(name), gradient ? recording.node(gradient) : constant([0], variable.shape));
    }
  });
}

/**
 * @param samples number of targets: the rest of the batch fills it up
 * @throws UnsupportedKernel when the evaluation does something that the compiler cannot express
 */
export async function traceEvaluation(program: Program, batchSize: number, samples = batchSize): Promise<Graph> {
  return traceTwice(program, 'evaluated', (recording, outputs) => {
    const { inputs, targets } = placeholders(recording, program, batchSize, samples);
    const { loss, metrics } = program.evaluate(inputs, targets);
    outputs.set(portName.loss, recording.node(loss));
    metrics.forEach((metric, index) => outputs.set(portName.metric(index), recording.node(metric)));
  });
}

/**
 * @param keepsWhole tells by its recurrent kernel whether a standard recurrent layer is recorded as one operation
 * @throws UnsupportedKernel when the model does something that the compiler cannot express
 */
export async function tracePrediction(
  predictor: Predictor,
  batchSize: number,
  keepsWhole: (recurrentKernel: string) => boolean,
): Promise<Graph> {
  return traceTwice(predictor, 'evaluated', (recording, outputs) => {
    const restore = keepRecurrentLayers(predictor, recording, keepsWhole);
    try {
      predictor
        .predict(predictor.inputs.map(placeholder(recording, batchSize, portName.input)))
        .forEach((output, index) => outputs.set(portName.output(index), recording.node(output)));
    } finally {
      restore();
    }
  });
}

/** What is traced: a model, and another one that it may use. */
type TracedModel = Pick<Program, 'weights' | 'layers' | 'frozen'>;

type Tracer = (recording: Recording, outputs: Map<string, Node>) => void;

/**
 * Traces a program twice and compares the graphs: what differs changes from step to step (JavaScript counts, or calls
 * Math.random), and a graph would freeze it.
 */
async function traceTwice(program: TracedModel, purpose: 'trained' | 'evaluated', tracer: Tracer): Promise<Graph> {
  const layers = calledLayers(program);
  const explained: Tracer = (...args) => explainingLayers(layers, purpose, () => tracer(...args));
  const graph = await traceOnce(program, explained, 0);
  // The first call of a layer may set it up; the second one changes nothing, unless the layer counts.
  const fields = ownValues(layers);
  const difference = firstDifference(graph, await traceOnce(program, explained, 1));
  refuseCounting(fields, ownValues(layers));
  if (difference === undefined) return graph;
  const { op, layer } = difference;
  throw op === 'Constant'
    ? new UnsupportedKernel(
        'tf.tensor',
        'JavaScript makes other values at every step, which a graph would freeze',
        layer,
      )
    : new UnsupportedKernel(op, 'JavaScript calls it otherwise at every step, which a graph would freeze', layer);
}

/** Numbers, truth values and strings that layers hold, by layer. */
function ownValues(layers: readonly tf.layers.Layer[]): Map<tf.layers.Layer, Map<string, unknown>> {
  const isPlain = ([, value]: [string, unknown]) => ['number', 'boolean', 'string'].includes(typeof value);
  return new Map(nestedLayers(layers).map((layer) => [layer, new Map(Object.entries(layer).filter(isPlain))]));
}

/** @throws UnsupportedKernel when a layer changes a field of its own whenever it is called: a step that it counts to comes later */
function refuseCounting(before: ReturnType<typeof ownValues>, after: ReturnType<typeof ownValues>): void {
  for (const [layer, fields] of after) {
    for (const [field, value] of fields) {
      if (Object.is(before.get(layer)?.get(field), value)) continue;
      throw new UnsupportedKernel('call', `it changes its field '${field}' at every step`, layer.name);
    }
  }
}

async function traceOnce(program: TracedModel, tracer: Tracer, seed: number): Promise<Graph> {
  const outputs = new Map<string, Node>();
  const stateful = statefulLayers(program);
  const weights = [
    ...program.weights,
    ...(program.frozen?.weights ?? []).map(({ name, variable }) => ({ name: frozenName(name), variable })),
  ];
  const saved = weights.map(({ variable }) => ({
    variable,
    dataId: variable.dataId,
    value: tf.clone(variable),
  }));
  try {
    await record(seed, (recording) => {
      for (const { name, variable } of weights) {
        // All values are kept as float32; a counter of steps is a weight of integers.
        const node = cast(parameter(name, variable.shape), importDType(variable.dtype, 'weight'));
        recording.bind(variable, node);
      }
      const restore = [
        ...calledLayers(program).map((layer) => nameCalls(layer, recording)),
        ...stateful.map((layer) => carryState(layer, recording, outputs)),
        refuseAssignments(new Set(weights.map(({ variable }) => variable)), recording),
      ];
      try {
        tf.tidy(() => {
          tracer(recording, outputs);
          for (const [index, { name, variable }] of program.weights.entries()) {
            if (variable.dataId === saved[index].dataId) continue;
            outputs.set(portName.update(name), cast(recording.node(variable), 'float32'));
          }
        });
      } finally {
        for (const undo of restore.reverse()) undo();
      }
    });
  } finally {
    for (const { variable, dataId, value } of saved) {
      if (variable.dataId !== dataId) variable.assign(value);
      value.dispose();
    }
  }
  return { outputs };
}

function placeholders(recording: Recording, program: Program, batchSize: number, samples = batchSize) {
  return {
    inputs: program.inputs.map(placeholder(recording, batchSize, portName.input)),
    targets: program.targets.map(placeholder(recording, samples, portName.target)),
  };
}

function placeholder(recording: Recording, size: number, name: (index: number) => string) {
  return ({ dtype, shape }: SampleType, index: number) =>
    recording.tensor(input(name(index), { dtype, shape: [size, ...shape] }));
}

/** While a layer is called, what is recorded belongs to it. */
function nameCalls(layer: tf.layers.Layer, recording: Recording): () => void {
  const own = Object.getOwnPropertyDescriptor(layer, 'call');
  const call = layer.call.bind(layer);
  layer.call = (...args) => {
    const outer = recording.layer;
    recording.layer = outer ?? layer.name;
    try {
      return call(...args);
    } finally {
      recording.layer = outer;
    }
  };
  return () => {
    if (own === undefined) Reflect.deleteProperty(layer, 'call');
    else Object.defineProperty(layer, 'call', own);
  };
}

/** While it is recorded, a step may assign to its weights alone: a graph has no outputs for other variables, and would freeze them. */
function refuseAssignments(weights: ReadonlySet<tf.Variable>, recording: Recording): () => void {
  const own = Object.getOwnPropertyDescriptor(tf.Variable.prototype, 'assign')!;
  const assign = own.value as tf.Variable['assign'];
  tf.Variable.prototype.assign = function (this: tf.Variable, value) {
    if (!weights.has(this))
      throw new UnsupportedKernel(
        'assign',
        'JavaScript assigns to a variable that is no weight of the model',
        recording.layer,
      );
    assign.call(this, value);
  };
  return () => Object.defineProperty(tf.Variable.prototype, 'assign', own);
}

/** The states of a stateful recurrent layer come in as inputs and go out as outputs of the graph. */
function carryState({ name, layer }: NamedStatefulLayer, recording: Recording, outputs: Map<string, Node>): () => void {
  const before = layer.states_;
  layer.states_ = before.map((state, index) =>
    recording.tensor(input(portName.state(name, index), { dtype: 'float32', shape: state.shape })),
  );
  layer.resetStates = (states) => {
    [states ?? []]
      .flat()
      .forEach((state, index) => outputs.set(portName.next(portName.state(name, index)), recording.node(state)));
  };
  return () => {
    Reflect.deleteProperty(layer, 'resetStates');
    layer.states_ = before;
  };
}
