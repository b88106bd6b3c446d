/**
 * The seven products in WebAssembly with SIMD (engine.c), behind the same names as in ops.js.
 *
 * A page opened from disk may not fetch a file, so the module comes as base64 text. Where there
 * is no WebAssembly, or no SIMD in it, the plain products take over, and `kind` says so.
 */

import { reference } from "./ops.js";

const PAGES = 1024; // of 64 KiB: asked for once, for arrays over a memory that grows are cut off

/** Base64 text to bytes. */
function bytes(base64) {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

/** Give out pieces of `memory`, one behind the other, each at a multiple of 16 bytes. */
function allocator(memory, first) {
  let next = first;

  return (size) => {
    const length = 4 * Math.ceil(size / 4);
    if (next + 4 * length > memory.buffer.byteLength) {
      throw new RangeError("the networks are too large for the memory of this page");
    }
    const piece = new Float32Array(memory.buffer, next, length).subarray(0, size);
    next += 4 * length;
    return piece;
  };
}

/** The products of `exports`: an array is handed over as the place where it begins. */
function products(exports) {
  const at = (array) => (array === null ? 0 : array.byteOffset);

  return {
    mul: (y, W, b, x, rows, inner, n) => exports.mul(at(y), at(W), at(b), at(x), rows, inner, n),
    mulT: (y, W, z, rows, inner, n) => exports.mulT(at(y), at(W), at(z), rows, inner, n),
    outer: (dW, db, z, h, rows, inner, n) =>
      exports.outer(at(dW), at(db), at(z), at(h), rows, inner, n),
    tanh: (h, a, size) => exports.tanh(at(h), at(a), size),
    slope: (y, z, h, size) => exports.slope(at(y), at(z), at(h), size),
    bend: (z, h, da, v, size) => exports.bend(at(z), at(h), at(da), at(v), size),
    adam: (p, g, m, v, size, rate, beta1, beta2, root) =>
      exports.adam(at(p), at(g), at(m), at(v), size, rate, beta1, beta2, root),
  };
}

/** The fast engine from the base64 text of engine.wasm, one memory for each pair of networks. */
export async function wasm(base64) {
  const memory = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES });
  const { instance } = await WebAssembly.instantiate(bytes(base64), { env: { memory } });
  const first = instance.exports.__heap_base.value;
  return {
    kind: "WebAssembly with SIMD, float32",
    fast: true,
    Floats: Float32Array,
    alloc: allocator(memory, first),
    ...products(instance.exports),
  };
}

/** The fast engine where the browser has it, else the plain one; `kind` says which and why. */
export async function fastest(base64) {
  try {
    return await wasm(base64);
  } catch (error) {
    const plain = reference();
    return { ...plain, kind: `${plain.kind} (no WebAssembly with SIMD here: ${error.message})` };
  }
}
