/** @file The units of a model: its neurons, channels and recurrent units, and which of them can only be removed together. */

/** A number for the unit at each place of an axis. A unit may stand at several places. */
export type Units = readonly number[];

/** Sets of units that are removed together or not at all (union-find). */
export class UnitGroups {
  readonly #parents: number[] = [];
  /** Why a group stays, by its representative. */
  readonly #obstacles = new Map<number, string>();
  /** The layer at which units of a group met first, by its representative. */
  readonly #meetings = new Map<number, string>();

  /** Number of units that were created. */
  get size(): number {
    return this.#parents.length;
  }

  create(count: number): Units {
    return Array.from({ length: count }, () => this.#parents.push(this.#parents.length) - 1);
  }

  /** The unit that stands for the group of a unit. */
  groupOf(unit: number): number {
    let group = unit;
    while (this.#parents[group] !== group) group = this.#parents[group] = this.#parents[this.#parents[group]];
    return group;
  }

  /**
   * Puts the units at the same places into one group.
   * @param layer at which they meet
   */
  unite(first: Units, second: Units, layer: string): void {
    first.forEach((unit, place) => {
      const [one, other] = [this.groupOf(unit), this.groupOf(second[place])];
      if (one === other) return;
      this.#parents[other] = one;
      const obstacle = this.#obstacles.get(one) ?? this.#obstacles.get(other);
      if (obstacle !== undefined) this.#obstacles.set(one, obstacle);
      this.#meetings.set(one, this.#meetings.get(one) ?? this.#meetings.get(other) ?? layer);
    });
  }

  /** @param reason why they stay whatever the weights are: a clause about several units, "they are …" */
  keep(units: Units, reason: string): void {
    for (const unit of units) {
      const group = this.groupOf(unit);
      if (!this.#obstacles.has(group)) this.#obstacles.set(group, reason);
    }
  }

  /** Why the group of a unit stays; undefined where it may go. */
  obstacleOf(unit: number): string | undefined {
    return this.#obstacles.get(this.groupOf(unit));
  }

  /** The layer at which the unit met another one; undefined where it is alone in its group. */
  meetingOf(unit: number): string | undefined {
    return this.#meetings.get(this.groupOf(unit));
  }

  /** A representative of each group. */
  groups(): number[] {
    return this.#parents.flatMap((parent, unit) => (parent === unit ? [unit] : []));
  }
}
