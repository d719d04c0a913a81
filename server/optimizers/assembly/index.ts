/** @file The kernels of the optimizers: one pass over a parameter, its gradient and its state, at addresses in the arena. */
export { adagrad, adagradRows } from './adagrad';
export { adam } from './adam';
export { addGradient, averageGradient, moveRow, sumOfSquares } from './gradients';
export { rmsprop } from './rmsprop';
export { momentum, sgd, sgdRows } from './sgd';
export { flushSubnormals } from './state';
