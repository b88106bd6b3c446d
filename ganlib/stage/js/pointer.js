// Dragging handles and pointing into axes: in data units, at most once a frame.

const REACH = 18; // pixels: how near a handle must be to be held

/**
 * Listen to the pointer on `canvas`. now() gives the { frame, places } that are shown; send takes
 * the messages { kind: "drag", mark, index, x, y } and { kind: "point", axes, x, y }.
 */
export const listen = (canvas, scene, now, send) => {
  let held = null; // a handle { mark, index, p }, or a place { p }
  let moving = false;
  let tapped = null; // where a finger went down

  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    const shrunk = canvas.clientWidth / box.width; // a page of slides may show it smaller or larger
    return [shrunk * (event.clientX - box.left), shrunk * (event.clientY - box.top)];
  };
  const tell = ([px, py]) => {
    const { mark, index, p } = held;
    const x = within(p.toX(px), p.limits[0], p.limits[1]);
    const y = within(p.toY(py), p.limits[2], p.limits[3]);
    send(mark ? { kind: "drag", mark, index, x, y } : { kind: "point", axes: p.axes.key, x, y });
  };

  canvas.addEventListener("pointerdown", (event) => {
    const { frame, places } = now();
    if (!frame) return;
    const [px, py] = at(event);
    const p = scene.points && Object.values(places).find((q) => q.holds(px, py));
    held = nearest(scene, frame, places, px, py) || (p ? { p } : null);
    if (!held) return;
    if (event.pointerType === "touch" && !held.mark) {
      tapped = [px, py]; // a point, unless the finger moves on: then it scrolls the page
      return;
    }
    canvas.setPointerCapture(event.pointerId);
    event.preventDefault();
    tell([px, py]);
  });
  canvas.addEventListener("pointermove", (event) => {
    const { frame, places } = now();
    const [px, py] = at(event);
    if (tapped) return;
    if (!held) {
      const grab = frame && nearest(scene, frame, places, px, py);
      canvas.style.cursor = grab ? "grab" : scene.points ? "crosshair" : "default";
    } else if (!moving) {
      moving = true;
      requestAnimationFrame(() => {
        moving = false;
        if (held) tell([px, py]);
      });
    }
  });
  canvas.addEventListener("pointerup", (event) => {
    if (held?.mark) tell(at(event)); // a click into axes is one point, told when it went down
    if (tapped && far(tapped, at(event)) < REACH) tell(tapped);
    held = null;
    tapped = null;
  });
  canvas.addEventListener("pointercancel", () => {
    held = null;
    tapped = null;
  });
};

const far = ([px, py], [qx, qy]) => Math.hypot(px - qx, py - qy);

const within = (v, low, high) => Math.min(Math.max(v, Math.min(low, high)), Math.max(low, high));

/** The handle nearest to a pixel, within reach; null if there is none. */
const nearest = (scene, frame, places, px, py) => {
  let best = null;
  let reach = REACH;
  for (const m of scene.marks.filter((mark) => mark.kind === "handles")) {
    const d = frame.data[m.key];
    const p = places[m.axes];
    for (let i = 0; i < d.rows; i++) {
      const far = Math.hypot(p.x(d.v[2 * i]) - px, p.y(d.v[2 * i + 1]) - py);
      if (far < reach) {
        reach = far;
        best = { mark: m.key, index: i, p };
      }
    }
  }
  return best;
};
