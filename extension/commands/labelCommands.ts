/** @file Commands that tell runs apart: a name, a note, a pin. */
import { l10n, window } from 'vscode';
import type { RunLabel } from '../../server/protocol/run/runLabel.ts';
import { changeRunLabel } from '../../server/runs/runLabel.ts';
import type { StoredRun } from '../runs/storedRun.ts';
import type { Services } from '../services.ts';
import { requireTrustToChangeRuns } from '../trust.ts';
import { chooseRuns } from './commandTargets.ts';

export class LabelCommands {
  readonly #services: Services;

  constructor(services: Services) {
    this.#services = services;
  }

  async renameRun(argument: unknown): Promise<void> {
    const [stored] = await this.#chosen(argument);
    if (!stored) return;
    const prompt = l10n.t('Name of the run; leave it empty to have none');
    const name = await this.#ask(l10n.t('Rename Run'), prompt, stored.label.name);
    if (name !== undefined) await this.#change(stored, { name });
  }

  async editRunNote(argument: unknown): Promise<void> {
    const [stored] = await this.#chosen(argument);
    if (!stored) return;
    const note = await this.#ask(l10n.t('Edit Note'), l10n.t('Note on the run'), stored.label.note);
    if (note !== undefined) await this.#change(stored, { note });
  }

  async pinRun(argument: unknown, selection: unknown, pinned: boolean): Promise<void> {
    const question = pinned ? l10n.t('Select runs to pin') : l10n.t('Select runs to unpin');
    const several = Array.isArray(selection) ? question : undefined;
    for (const stored of await this.#chosen(argument, selection, several)) await this.#change(stored, { pinned });
  }

  #chosen(argument: unknown, selection?: unknown, several?: string): Promise<StoredRun[]> {
    requireTrustToChangeRuns();
    return chooseRuns(this.#services, argument, selection, { several });
  }

  async #ask(title: string, prompt: string, value: string | undefined): Promise<string | undefined> {
    return (await window.showInputBox({ title, prompt, ...(value !== undefined && { value }) }))?.trim();
  }

  async #change(stored: StoredRun, changes: RunLabel): Promise<void> {
    await changeRunLabel(stored.key, changes);
    await this.#services.store.refresh(stored.key);
  }
}
