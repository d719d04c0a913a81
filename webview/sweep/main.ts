/** @file Entry point of the page of a sweep. */
import '../translation.ts';
import type { FromSweepPage } from '../../server/protocol/wire/sweep.ts';
import { startPage } from '../startPage.ts';
import { SweepPage } from './page.ts';

startPage<FromSweepPage>(
  (viewState, send) => new SweepPage(document.body, viewState, send),
  () => ({ type: 'ready' }),
);
