/** Numbers as text, for JSON: { float32: "…" }, the bytes in base64; export.py does the same. */

const KINDS = { float32: Float32Array, float64: Float64Array, uint32: Uint32Array };

/** A typed array as text. */
export function pack(array) {
  const [kind] = Object.entries(KINDS).find(([, Kind]) => array instanceof Kind);
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  let letters = "";
  for (const byte of bytes) letters += String.fromCharCode(byte);
  return { [kind]: btoa(letters) };
}

/** And back; a plain array of numbers is taken as it stands. */
export function unpack(value) {
  if (Array.isArray(value)) return value;
  const [kind, text] = Object.entries(value)[0] ?? [];
  if (!Object.hasOwn(KINDS, kind)) throw new RangeError(`${kind} is no kind of numbers`);
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return new KINDS[kind](bytes.buffer);
}

/** The same data with all typed arrays packed. */
export function packed(value) {
  if (ArrayBuffer.isView(value)) return pack(value);
  if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, packed(part)]));
}
