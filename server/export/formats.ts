/** @file The table of export formats: how each is written and opened. What is known of them without that is in `protocol/model/exportFormats.ts`. */
import type { ExportFormatName } from '../protocol/model/exportFormats.ts';
import type { ExportFormat } from './format.ts';
import { huggingface } from './huggingface/huggingfaceFormat.ts';
import { onnx } from './onnx/onnxFormat.ts';
import { packed } from './safetensors/packedFormat.ts';
import { safetensors } from './safetensors/safetensorsFormat.ts';
import { tfjs } from './tfjs/tfjsFormat.ts';

export const formats: Readonly<Record<ExportFormatName, ExportFormat>> = {
  onnx,
  tfjs,
  packed,
  safetensors,
  huggingface,
};
