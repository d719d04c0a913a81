/** @file Sliding windows as attributes of ONNX's Conv, ConvTranspose and MaxPool. */
import type { OnnxAttribute } from '../../formats/onnx.ts';
import type { Window } from '../ir.ts';

/** `pads` has what is in front of the axes before what is behind them there, too. */
export function windowAttributes(window: Window): Record<string, OnnxAttribute> {
  return {
    strides: { ints: window.strides },
    dilations: { ints: window.dilations },
    pads: { ints: window.pads },
  };
}
