/** @file The views of the dashboard, in the order of their tabs. */
import { curvesView } from './curves/curvesView.ts';
import type { ViewType } from './view.ts';

export const views: readonly ViewType[] = [curvesView];
