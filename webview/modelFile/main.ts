/** @file Entry point of the page of a model's file. */
import '../translation.ts';
import type { FromModelFilePage } from '../../server/protocol/wire/modelFile.ts';
import { startPage } from '../startPage.ts';
import { ModelFilePage } from './page.ts';

startPage<FromModelFilePage>(
  (viewState, send) => new ModelFilePage(document.body, viewState, send),
  () => ({ type: 'ready' }),
);
