/** @file Errors as ONNX Runtime 1.30 throws them, on machines without an adapter and with a small one. */
import { describe, expect, test } from 'vitest';
import { deviceErrorOf } from '../../../server/compiler/device.ts';

const errorOf = (message: string) => {
  const error = deviceErrorOf(new Error(message));
  return error && `${error.message} ${error.remedy}`;
};

describe('an error of WebGPU', () => {
  test.each([
    [
      'no adapter',
      '/onnxruntime_src/onnxruntime/core/providers/webgpu/webgpu_context.cc:136 onnxruntime::webgpu::WebGpuContext::Initialize(const onnxruntime::webgpu::WebGpuContextConfig&)::<lambda()> adapter_result.status == wgpu::RequestAdapterStatus::Success was false. Failed to get a WebGPU adapter: No supported adapters\n',
      /^WebGPU finds no graphics processor on this machine \(No supported adapters\)\. Install the driver .* or set training\.device to "cpu"\.$/,
    ],
    [
      'a tensor above the limit of buffers',
      'WebGPU validation failed. Buffer size (1200000000) exceeds the max buffer size limit (1073741824).\n - While calling [Device].CreateBuffer([BufferDescriptor]).\n',
      /^The training step does not fit into the memory of the graphics processor \(WebGPU validation failed\. Buffer size \(1200000000\) exceeds the max buffer size limit \(1073741824\)\.\)\. Use a smaller batchSize /,
    ],
    [
      'no memory left',
      'WebGPU validation failed. [Invalid Buffer (unlabeled)] is invalid due to a previous error.\n - While validating entries[1] against …',
      /^The training step does not fit into the memory of the graphics processor \(.*\)\. Use a smaller batchSize /,
    ],
    [
      'a tensor that one binding cannot hold',
      "Non-zero status code returned while running Exp node. Name:'' Status Message: /onnxruntime_src/onnxruntime/core/providers/webgpu/shader_helper.cc:306 … numbers_storage_buffers_ <= limits_.maxStorageBuffersPerShaderStage was false. Too many storage buffers in shader. Current: 16, Max is 12\n",
      /^The training step does not fit into the memory of the graphics processor /,
    ],
    [
      'a tensor of more numbers than WebGPU counts',
      "Non-zero status code returned while running Expand node. Name:'3|Broadcast|repeated|' Status Message: narrowing_error",
      /\(a tensor of the layer 'repeated' has more than 4,294,967,295 numbers\)\. Use a smaller batchSize /,
    ],
    [
      'a device that went away',
      'WebGPU device lost (2): The driver was reset.',
      /^The graphics processor was lost: .* Resume the run: it goes on from its last checkpoint\.$/,
    ],
    [
      'a device that is used after it went away',
      '[Device (unlabeled)] is lost.\n - While calling [Device].CreateBuffer([BufferDescriptor]).\n',
      /^The graphics processor was lost: .* Resume the run: it goes on from its last checkpoint\.$/,
    ],
    [
      'numbers that nothing brings back from a device that went away',
      'buffer_manager.cc:597 Failed to download data from buffer. wgpu::MapAsyncStatus value: 3',
      /^The graphics processor was lost: .* Resume the run: it goes on from its last checkpoint\.$/,
    ],
  ])('that says: %s, is one sentence with a remedy', (_, message, expected) => {
    expect(errorOf(message)).toMatch(expected);
  });

  test('is nothing else', () => {
    expect(errorOf('Could not find an implementation for Round(11) node')).toBeUndefined();
  });
});
