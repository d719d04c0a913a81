/** @file Traces a {@link Program} for one batch size into the graphs of its training step and its evaluation. */
import * as tf from '@tensorflow/tfjs';
import { constant, input, parameter } from '../build.ts';
import type { Graph, Node, TensorType } from '../ir.ts';
import { UnsupportedKernel } from '../import/kernel.ts';
import type { Program, SampleType } from '../program.ts';
import { portName } from '../ports.ts';
import { record, type HostTensor, type Recording } from './recordingBackend.ts';
import { statefulLayers, type StatefulLayer } from './statefulLayers.ts';

/** @throws UnsupportedKernel when the step does something that the compiler cannot express */
export async function traceTraining(program: Program, batchSize: number): Promise<Graph> {
  return traceTwice(program, (recording, outputs) => {
    const { inputs, targets } = placeholders(recording, program, batchSize);
    const trained = program.weights.filter((weight) => weight.trainable);
    const { value, grads } = tf.variableGrads(
      () => program.loss(inputs, targets),
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

/** @throws UnsupportedKernel when the evaluation does something that the compiler cannot express */
export async function traceEvaluation(program: Program, batchSize: number): Promise<Graph> {
  return traceTwice(program, (recording, outputs) => {
    const { inputs, targets } = placeholders(recording, program, batchSize);
    const { loss, metrics } = program.evaluate(inputs, targets);
    outputs.set(portName.loss, recording.node(loss));
    metrics.forEach((metric, index) => outputs.set(portName.metric(index), recording.node(metric)));
  });
}

type Tracer = (recording: Recording, outputs: Map<string, Node>) => void;

/**
 * Traces a program twice and compares the tensors that it made in JavaScript: one that differs changes from step to
 * step, and a graph would freeze it.
 */
async function traceTwice(program: Program, tracer: Tracer): Promise<Graph> {
  const first = await traceOnce(program, tracer);
  const second = await traceOnce(program, tracer);
  const frozen =
    first.hostTensors.length !== second.hostTensors.length ||
    first.hostTensors.some((tensor, index) => !sameValues(tensor, second.hostTensors[index]));
  if (frozen) {
    throw new UnsupportedKernel(
      'tensor',
      'JavaScript makes a tensor inside the step whose values change from step to step',
    );
  }
  return { outputs: first.outputs };
}

function sameValues(a: HostTensor, b: HostTensor): boolean {
  return a.values.length === b.values.length && Array.from(a.values).every((value, i) => Object.is(value, b.values[i]));
}

async function traceOnce(program: Program, tracer: Tracer) {
  const outputs = new Map<string, Node>();
  const stateful = statefulLayers(program.layers);
  const saved = program.weights.map(({ variable }) => ({
    variable,
    dataId: variable.dataId,
    value: tf.clone(variable),
  }));
  const hostTensors = await record((recording) => {
    for (const { name, variable } of program.weights) recording.bind(variable, parameter(name, variable.shape));
    const restore = [
      ...program.layers.map((layer) => nameCalls(layer, recording)),
      ...stateful.map((layer) => carryState(layer, recording, outputs)),
    ];
    try {
      tf.tidy(() => {
        tracer(recording, outputs);
        for (const [index, { name, variable }] of program.weights.entries()) {
          if (variable.dataId !== saved[index].dataId) outputs.set(portName.update(name), recording.node(variable));
        }
      });
    } finally {
      for (const undo of restore.reverse()) undo();
    }
    return recording.hostTensors;
  });
  for (const { variable, dataId, value } of saved) {
    if (variable.dataId !== dataId) variable.assign(value);
    value.dispose();
  }
  return { outputs, hostTensors };
}

function placeholders(recording: Recording, program: Program, batchSize: number) {
  const type = ({ dtype, shape }: SampleType): TensorType => ({ dtype, shape: [batchSize, ...shape] });
  const make = (name: (index: number) => string) => (sample: SampleType, index: number) =>
    recording.tensor(input(name(index), type(sample)));
  return { inputs: program.inputs.map(make(portName.input)), targets: program.targets.map(make(portName.target)) };
}

/** While a layer is called, what is recorded belongs to it. */
function nameCalls(layer: tf.layers.Layer, recording: Recording): () => void {
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
  return () => void Reflect.deleteProperty(layer, 'call');
}

/** The states of a stateful recurrent layer come in as inputs and go out as outputs of the graph. */
function carryState(layer: StatefulLayer, recording: Recording, outputs: Map<string, Node>): () => void {
  const before = layer.states_;
  layer.states_ = before.map((state, index) =>
    recording.tensor(input(portName.state(layer.name, index), { dtype: 'float32', shape: state.shape })),
  );
  layer.resetStates = (states) => {
    [states ?? []]
      .flat()
      .forEach((state, index) =>
        outputs.set(portName.nextState(portName.state(layer.name, index)), recording.node(state)),
      );
  };
  return () => {
    Reflect.deleteProperty(layer, 'resetStates');
    layer.states_ = before;
  };
}
