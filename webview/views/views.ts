/** @file The views of the dashboard, in the order of their tabs. */
import { compareView } from './compare/compareView.ts';
import { curvesView } from './curves/curvesView.ts';
import { filesView } from './files/filesView.ts';
import { layersView } from './layers/layersView.ts';
import { spectrumView } from './spectrum/spectrumView.ts';
import type { ViewType } from './view.ts';
import { weightsView } from './weights/weightsView.ts';

export const views: readonly ViewType[] = [curvesView, weightsView, spectrumView, layersView, filesView, compareView];
