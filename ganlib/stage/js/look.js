// The colours of paper, lines and marks, by day and on a dark page.

const DIM = 3; // the least contrast between paper and what is drawn on it

const channels = (color) => [1, 3, 5].map((i) => parseInt(color.slice(i, i + 2), 16));

/** The relative luminance of red, green and blue in 0..255, as WCAG 2 defines it. */
export const luminance = (rgb) => {
  const [r, g, b] = rgb.map((v) => {
    const share = v / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};

/** A colour that is hard to see on dark paper, made as light as it was dark; others stay. */
const lightened = (paper) => {
  const below = luminance(channels(paper)) + 0.05;
  const known = {};
  return (color) => {
    if (known[color]) return known[color];
    const rgb = channels(color);
    const faint = (luminance(rgb) + 0.05) / below < DIM;
    const turn = 255 - Math.max(...rgb) - Math.min(...rgb); // the lightness of HSL, turned over
    const hex = (v) =>
      Math.min(255, v + turn)
        .toString(16)
        .padStart(2, "0");
    known[color] = faint && turn > 0 ? `#${rgb.map(hex).join("")}` : color;
    return known[color];
  };
};

export const DAY = {
  ink: "#1a1a1a",
  faint: "#d9d9d9",
  spine: "#8a8a8a",
  paper: "#ffffff",
  color: (color) => color,
};

const NIGHT_PAPER = "#1b1b1b";
export const NIGHT = {
  ink: "#e6e6e6",
  faint: "#3d3d3d",
  spine: "#8a8a8a",
  paper: NIGHT_PAPER,
  color: lightened(NIGHT_PAPER),
};

/** Whether what lies behind an element is dark. */
export const onDark = (element) => {
  for (let at = element.parentElement; at; at = at.parentElement) {
    const told = getComputedStyle(at).backgroundColor.match(/[\d.]+/g) ?? [0, 0, 0, 0];
    const [r, g, b, alpha = 1] = told.map(Number);
    if (alpha > 0.5) return luminance([r, g, b]) < 0.18;
  }
  return false;
};

/** Calls `set(dark)` now, and whenever the page turns dark or light, until it is stopped. */
export const follow = (element, set) => {
  const look = () => set(onDark(element));
  const watch = new MutationObserver(look);
  const night = matchMedia("(prefers-color-scheme: dark)");
  for (const part of [document.documentElement, document.body]) {
    watch.observe(part, { attributes: true });
  }
  night.addEventListener("change", look);
  look();
  return {
    stop() {
      watch.disconnect();
      night.removeEventListener("change", look);
    },
  };
};
