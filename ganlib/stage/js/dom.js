// Small helpers for elements of a page.

export const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif";

/** An element with its attributes and children; an attribute `on…` is a listener, true is "". */
export const make = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) {
      element.addEventListener(key.slice(2), value);
    } else if (value === true) {
      element.setAttribute(key, "");
    } else if (value !== false && value != null) {
      element.setAttribute(key, value);
    }
  }
  element.append(...children);
  return element;
};

// Inside JupyterLab a control in an output loses its keys to Lab's shortcuts unless it says so.
export const KEYS = { "data-lm-suppress-shortcuts": "true" };

/** Whether the reader asked for less motion: a playing lab then changes once a second. */
export const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** Hand a blob to the reader as a file. */
export const hand = (blob, name) => {
  const link = make("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
};

/** Put a text on the clipboard; where that is refused, show it to be copied by hand. */
export const copy = async (text) => {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    window.prompt("Copy this text:", text);
  }
};
