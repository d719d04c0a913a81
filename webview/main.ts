/** @file Entry point of the dashboard's page. */
import './translation.ts';
import type { FromDashboard } from '../server/protocol/wire/dashboard.ts';
import { DashboardPage } from './frame/page.ts';
import { startPage } from './startPage.ts';
import { views } from './views/views.ts';

startPage<FromDashboard>(
  (viewState, send) => new DashboardPage(document.body, views, viewState, send),
  ({ shown }) => ({ type: 'ready', ...(shown && { shown }) }),
);
