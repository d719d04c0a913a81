/** @file What a training step runs on, and what keeps a machine from it. */
import { messageOf } from '../protocol/thrown.ts';
import { UserError } from '../protocol/userError.ts';
import { formatCount } from '../protocol/formatQuantity.ts';
import { ort } from '../formats/onnxRuntime.ts';
import { layerNamedIn } from './lower/rejection.ts';

/** 'webgpu': the graphics processor, by way of WebGPU. */
export type Device = 'cpu' | 'webgpu';

/** The device that was asked for cannot be used; the reason is the message. */
export class DeviceError extends UserError {}

/** What is to be computed does not fit into the memory of the device. */
export class DeviceMemoryError extends DeviceError {}

/** What WebGPU says where a buffer cannot be made, or is larger than an adapter's limits. */
const TOO_LARGE =
  /out of memory|max buffer size limit|\[Invalid Buffer|Allocation size too large|Too many storage buffers|narrowing_error/i;

/** What WebGPU says after a device has gone; and ONNX Runtime, which asks for nothing else before it reads a buffer that is gone. */
const LOST = /device\b[^\n]{0,80} (?:was|is) lost|DeviceLost|device lost|Failed to download data from buffer/i;

const DRIVER_REMEDY =
  'Install the driver of the graphics processor (on Linux its Vulkan driver, and the package libvulkan1), or set training.device to "cpu".';

/** @throws DeviceError where ONNX Runtime has no WebGPU for this kind of machine */
export function checkWebGpu(): void {
  if (ort.listSupportedBackends().some(({ name }) => name === 'webgpu')) return;
  throw new DeviceError(`ONNX Runtime has no WebGPU for ${process.platform} ${process.arch}.`, {
    remedy: 'Set training.device to "cpu".',
  });
}

/** What an error of ONNX Runtime or of its WebGPU says of the device; undefined where it is about something else. */
export function deviceErrorOf(error: unknown): DeviceError | undefined {
  const message = messageOf(error);
  const options = (remedy: string) => ({ remedy, cause: error });
  const adapter = /Failed to get a WebGPU (?:adapter|device): *([^\n]*)/.exec(message);
  if (adapter)
    return new DeviceError(
      `WebGPU finds no graphics processor on this machine (${adapter[1].trim()}).`,
      options(DRIVER_REMEDY),
    );
  if (LOST.test(message))
    return new DeviceError(
      'The graphics processor was lost: its driver was reset or updated, or the machine slept.',
      options('Resume the run: it goes on from its last checkpoint.'),
    );
  if (TOO_LARGE.test(message))
    return new DeviceMemoryError(
      `The training step does not fit into the memory of the graphics processor (${tooLargeFor(message)}).`,
      options('Use a smaller batchSize or model, or set training.device to "cpu".'),
    );
  return undefined;
}

function tooLargeFor(message: string): string {
  if (!message.includes('narrowing_error')) return message.split('\n')[0].trim();
  const layer = layerNamedIn(message);
  return `a tensor${layer === undefined ? '' : ` of the layer '${layer}'`} has more than ${formatCount(2 ** 32 - 1)} numbers`;
}
