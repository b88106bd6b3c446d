/** A training step in six phases, one shown after the other: ganlib/labs/slow_motion.py. */

const SECONDS = 0.9; // that a phase is shown while the lab plays
const MOVES = { 3: "D only", 5: "G only" }; // who moves in a phase
const OF = { both: [0, 1, 2, 3, 4, 5], "D only": [0, 1, 2, 3], "G only": [4, 5] };

export class SlowMotion {
  /** clock: gives seconds. */
  constructor(clock = () => performance.now() / 1000) {
    this.clock = clock;
    this.begin();
  }

  /** Stand before the first phase. */
  begin() {
    this.phase = -1;
    this.due = 0;
  }

  /**
   * Go on to the next phase: `who` moves in it, null if nobody; and whether the step is `done`
   * with it. train: who trains. While a lab is playing, each phase is shown for a while.
   */
  next(train, playing) {
    const now = this.clock();
    if (playing && now < this.due) return { who: null, done: false };

    const phases = OF[train];
    this.phase = phases.includes(this.phase + 1) ? this.phase + 1 : phases[0];
    this.due = now + SECONDS;
    return { who: MOVES[this.phase] ?? null, done: this.phase === phases[phases.length - 1] };
  }
}
