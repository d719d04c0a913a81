/** @file Names of the model's inputs and outputs, where a setting has something for each: a loss for each output, an array for each input. */
import { CompletionItemKind } from 'vscode-languageserver/node';
import { firstLoss } from '../../protocol/experiment/firstLoss.ts';
import { lossFacts } from '../../protocol/experiment/lossFacts.ts';
import type { SettingPath } from '../../protocol/experiment/settingPath.ts';
import type { Surroundings } from '../experimentDocument.ts';
import type { Proposal, Typing } from './proposal.ts';
import { escaped, Places } from './snippetText.ts';

/** An input or an output of the model. */
interface End {
  readonly name: string;
  /** What is proposed for it, the likeliest first; none where it is a path. */
  readonly losses?: readonly string[];
}

const ARRAYS = /^data\/(train|validation|test)\/(inputs|targets)$/;

/** The inputs or outputs that a setting can name; undefined for a setting that names none, and for a model that is not described. */
function endsAt(path: SettingPath, model: Surroundings['model']): readonly End[] | undefined {
  const setting = path.join('/');
  if (setting === 'training/loss')
    return model?.outputs?.map((output) => {
      const meant = firstLoss(output);
      return { name: output.name, losses: [meant, ...Object.keys(lossFacts).filter((loss) => loss !== meant)] };
    });
  const [, , part] = ARRAYS.exec(setting) ?? [];
  if (part === undefined) return undefined;
  return (part === 'inputs' ? model?.inputs : model?.outputs)?.map(({ name }) => ({ name }));
}

/** The inputs or outputs that are not written yet, as keys; undefined where the keys of an object are others. */
export function endKeys(
  { surroundings, place }: Typing,
  written: ReadonlySet<string>,
): readonly Proposal[] | undefined {
  return endsAt(place.path, surroundings.model)
    ?.filter(({ name }) => !written.has(name))
    .map((end) => ({
      label: end.name,
      kind: CompletionItemKind.Field,
      snippet: place.next === 'colon' ? escaped(JSON.stringify(end.name)) : endText(end, new Places()),
      goesOn: place.next !== 'colon' && end.losses === undefined,
    }));
}

/** An object with all inputs or outputs that the setting can name, for a model that has several. */
export function endValues({ surroundings, place }: Typing): Proposal[] {
  const ends = endsAt(place.path, surroundings.model) ?? [];
  if (ends.length < 2) return [];
  const places = new Places();
  return [
    {
      label: `{ ${ends.map(({ name }) => name).join(', ')} }`,
      kind: CompletionItemKind.Struct,
      detail: place.path.at(-1) === 'inputs' ? 'one for each input' : 'one for each output',
      snippet: `{ ${ends.map((end) => endText(end, places)).join(', ')} }`,
    },
  ];
}

function endText({ name, losses }: End, places: Places): string {
  const value = losses ? places.choice(losses.map((loss) => JSON.stringify(loss))) : `"${places.empty()}"`;
  return `${escaped(JSON.stringify(name))}: ${value}`;
}
