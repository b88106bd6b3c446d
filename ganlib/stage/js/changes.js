// What of a picture is painted anew. Paint is dear where a browser draws without a graphics card,
// so axes that show what they showed are left alone; and while a lab plays, those that follow
// their data (the curves of a history) take turns.

const TURN = 1000 / 30; // ms from one turn to the next

const bits = ({ v }) => new Uint32Array(v.buffer, v.byteOffset, v.byteLength / 4);

const same = (a, b) => a.length === b.length && a.every((value, i) => value === b[i]);

/** Whether axes show in a frame, with these words of text marks, what they showed before. */
const asBefore = (axes, marks, before, frame, words) => {
  if (!before || !same(before.frame.limits[axes.key], frame.limits[axes.key])) return false;
  return marks.every(({ key }) => {
    const was = before.frame.data[key];
    const is = frame.data[key];
    const shaped = was.rows === is.rows && was.columns === is.columns;
    return shaped && same(bits(was), bits(is)) && same(before.words[key] ?? [], words[key] ?? []);
  });
};

/** Keeps what each of the axes of a scene shows. */
export const changes = (scene) => {
  const marksOn = (axes) => scene.marks.filter((mark) => mark.axes === axes.key);
  const marks = Object.fromEntries(scene.axes.map((axes) => [axes.key, marksOn(axes)]));
  let shown = {}; // by the key of axes: { frame, words, at }
  let turned = -Infinity; // when the last of those that take turns had its own

  const differs = (axes, frame, words) => {
    return !asBefore(axes, marks[axes.key], shown[axes.key], frame, words);
  };
  /** Of the axes that follow their data, the one that waited longest, if it is time. */
  const turn = (waiting) => {
    if (!waiting.length || performance.now() - turned < TURN) return [];
    turned = performance.now();
    const since = (axes) => shown[axes.key]?.at ?? -Infinity;
    return [waiting.reduce((first, axes) => (since(axes) < since(first) ? axes : first))];
  };

  return {
    /** All that is shown is to be painted anew: the size, the colours or the titles are others. */
    forget() {
      shown = {};
    },

    /**
     * { keys, waits }: of which axes to paint now, null if of the whole picture; and whether others
     * wait for their turn.
     */
    next(frame, words, playing) {
      const whole = !Object.keys(shown).length;
      const stale = scene.axes.filter((axes) => differs(axes, frame, words));
      const follows = (axes) => playing && axes.auto && shown[axes.key];
      const waiting = stale.filter(follows);
      const now = [...stale.filter((axes) => !follows(axes)), ...turn(waiting)];
      for (const axes of now) shown[axes.key] = { frame, words, at: performance.now() };
      const keys = whole ? null : now.map((axes) => axes.key);
      return { keys, waits: now.length < stale.length };
    },
  };
};
