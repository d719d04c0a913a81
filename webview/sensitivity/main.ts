/** @file Entry point of the page of a sensitivity report. */
import '../translation.ts';
import type { FromSensitivityPage } from '../../server/protocol/wire/sensitivity.ts';
import { startPage } from '../startPage.ts';
import { SensitivityPage } from './page.ts';

startPage<FromSensitivityPage>(
  (_, send) => new SensitivityPage(document.body, send),
  () => ({ type: 'ready' }),
);
