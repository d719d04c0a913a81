/** @file What compressing each layer alone costs, as a map of layers by settings. Pure. */
import { groupBy } from '../../../server/protocol/groupBy.ts';
import {
  exampleDrop,
  type SensitivityCell,
  type SensitivityReport,
} from '../../../server/protocol/run/sensitivityReport.ts';

/** How much a setting costs: 0 for at most the first bound, up to one more than there are bounds; undefined where the model is not finite. */
export type CostLevel = number;

export interface MapCell extends SensitivityCell {
  readonly level: CostLevel | undefined;
  /** Times that the layer gets smaller; at most 1 where it does not. */
  readonly ratio: number;
  /** True where the suggestion has it. */
  readonly isSuggested: boolean;
}

export interface MapColumn {
  readonly parameter: string;
  /** The value of the column; undefined where each layer has values of its own, such as ranks. */
  readonly setting: number | undefined;
  /** The least and the greatest value in it. */
  readonly range: readonly [number, number];
}

export interface MapRow {
  readonly key: string;
  readonly shape: readonly number[];
  readonly bytes: number;
  /** A cell for each column; undefined where the layer was not measured there. */
  readonly cells: readonly (MapCell | undefined)[];
}

export interface HeatMap {
  readonly columns: readonly MapColumn[];
  readonly rows: readonly MapRow[];
  /** Greatest drops of the levels, but for the last one, which has no bound. */
  readonly bounds: readonly number[];
}

/** Each level costs up to so many times as much as the one before. */
const FACTOR = 4;
const BOUNDS = 4;
/** Values that a method has for all layers together, beyond those of one layer, for which there still is a column each. */
const MORE_VALUES = 2;

export function heatMap({ cells, weights, value, suggestion }: SensitivityReport): HeatMap {
  const first = suggestion?.maxDrop || exampleDrop(value) || 0.005;
  const bounds = Array.from({ length: BOUNDS }, (_, i) => first * FACTOR ** i);
  const parameters = [...new Set(cells.map(({ parameter }) => parameter))];
  const placed = parameters.map((parameter) => columnsOf(parameter, cells));
  const columns = placed.flatMap((own) => own.columns);
  const suggested = new Set((suggestion?.layers ?? []).map(idOf));
  return {
    bounds,
    columns,
    rows: weights.map(({ name, key, shape, bytes }) => ({
      key,
      shape,
      bytes,
      cells: placed.flatMap(({ cellsOf }) =>
        cellsOf(name).map(
          (cell) =>
            cell && {
              ...cell,
              level: levelOf(cell.drop, bounds),
              ratio: bytes / cell.bytes,
              isSuggested: suggested.has(idOf(cell)),
            },
        ),
      ),
    })),
  };
}

function idOf({ weight, parameter, setting }: Pick<SensitivityCell, 'weight' | 'parameter' | 'setting'>): string {
  return `${weight} ${parameter} ${setting}`;
}

/** The columns of a parameter, and the cells of a weight in them: by their values, or by their order where layers have others each. */
function columnsOf(parameter: string, all: readonly SensitivityCell[]) {
  const cells = all.filter((cell) => cell.parameter === parameter);
  const byWeight = groupBy(cells, ({ weight }) => weight);
  const most = Math.max(...[...byWeight.values()].map(({ length }) => length));
  const values = inOrder([...new Set(cells.map(({ setting }) => setting))], cells);
  if (values.length <= most + MORE_VALUES)
    return {
      columns: values.map((setting): MapColumn => ({ parameter, setting, range: [setting, setting] })),
      cellsOf: (weight: string) =>
        values.map((value) => byWeight.get(weight)?.find(({ setting }) => setting === value)),
    };
  const places = Array.from({ length: most }, (_, i) => i);
  // The strongest settings stand in one column, however many a layer has.
  const at = (own: readonly SensitivityCell[] | undefined, place: number) => own?.at(place - most);
  return {
    columns: places.map((place): MapColumn => {
      const settings = [...byWeight.values()].flatMap((own) => at(own, place)?.setting ?? []);
      return { parameter, setting: undefined, range: [Math.min(...settings), Math.max(...settings)] };
    }),
    cellsOf: (weight: string) => places.map((place) => at(byWeight.get(weight), place)),
  };
}

/** From the weakest to the strongest, as the cells of each weight are. */
function inOrder(values: readonly number[], cells: readonly SensitivityCell[]): number[] {
  const [first, second] = cells;
  const descends = second !== undefined && second.weight === first.weight && second.setting < first.setting;
  return values.toSorted((a, b) => (descends ? b - a : a - b));
}

function levelOf(drop: number | null, bounds: readonly number[]): CostLevel | undefined {
  if (drop === null) return undefined;
  const level = bounds.findIndex((bound) => drop <= bound);
  return level < 0 ? bounds.length : level;
}
