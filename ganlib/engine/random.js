/**
 * torch's random numbers on the CPU, rebuilt: the same seed gives the same draws as
 * `torch.Generator`.
 *
 * Whole numbers, `rand`, `uniform`, `multinomial` and `randperm` agree bit for bit, `randn` to
 * 2e-6: logarithm and cosine differ in their last digits between machines. Source: Matsumoto &
 * Nishimura 1998 for the generator MT19937; torch's DistributionTemplates.h.
 */

const SIZE = 624; // words of state
const SHIFT = 397;

const round = Math.fround; // to float32, which torch computes in

export class Generator {
  /** seed: a whole number of at least 0; of its bits the lower 32 count, as in torch. */
  constructor(seed = 0) {
    this.words = new Uint32Array(SIZE);
    this.manual_seed(seed);
  }

  /** Begin anew from `seed`. */
  manual_seed(seed) {
    this.words[0] = seed % 2 ** 32;
    for (let i = 1; i < SIZE; i++) {
      const before = this.words[i - 1];
      this.words[i] = Math.imul(1812433253, before ^ (before >>> 30)) + i;
    }
    this.used = SIZE; // of the words; all of them: the next draw makes new ones
    this.waiting = null; // normals of few numbers come in pairs, and the second one waits here
    return this;
  }

  /** Everything that the next draw depends on, and back to it. */
  state() {
    return { words: Array.from(this.words), used: this.used, waiting: this.waiting };
  }

  load(state) {
    this.words.set(state.words);
    this.used = state.used;
    this.waiting = state.waiting;
  }

  refill() {
    const words = this.words;
    for (let i = 0; i < SIZE; i++) {
      const mixed = (words[i] & 0x80000000) | (words[(i + 1) % SIZE] & 0x7fffffff);
      const twisted = (mixed >>> 1) ^ (mixed & 1 ? 0x9908b0df : 0);
      words[i] = words[(i + SHIFT) % SIZE] ^ twisted;
    }
    this.used = 0;
  }

  /** The next whole number of 32 bits. */
  whole() {
    if (this.used === SIZE) this.refill();

    let y = this.words[this.used++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  /** A float32 in [0, 1), of 24 bits. */
  float() {
    return (this.whole() & 0xffffff) / 2 ** 24;
  }

  /** A float64 in [0, 1), of the lower 53 bits of two draws. */
  double() {
    const high = this.whole() & 0x1fffff;
    return (high * 2 ** 32 + this.whole()) / 2 ** 53;
  }
}

/** torch.rand: n numbers uniform on [0, 1), float32. */
export function rand(generator, n) {
  return Float32Array.from({ length: n }, () => generator.float());
}

/** torch.rand(dtype=torch.float64). */
export function rand_double(generator, n) {
  return Float64Array.from({ length: n }, () => generator.double());
}

/** tensor.uniform_(low, high): x (high − low) + low in float32, rounded once. */
export function uniform(generator, n, low, high) {
  const width = round(round(high) - round(low));
  return Float32Array.from({ length: n }, () => generator.float() * width + round(low));
}

/** torch.randn: n standard normals, float32. */
export function randn(generator, n) {
  const out = new Float32Array(n);
  if (n < 16) {
    for (let i = 0; i < n; i++) out[i] = single_normal(generator);
    return out;
  }

  for (let i = 0; i < n; i++) out[i] = generator.float();
  for (let i = 0; i + 16 <= n; i += 16) normal_block(out, i);

  if (n % 16 > 0) {
    for (let i = n - 16; i < n; i++) out[i] = generator.float(); // the last 16 are drawn again
    normal_block(out, n - 16);
  }
  return out;
}

/** Sixteen uniform numbers become sixteen normals, eight pairs (Box & Muller 1958). */
function normal_block(x, first) {
  for (let i = first; i < first + 8; i++) {
    const radius = Math.sqrt(-2 * Math.log(1 - x[i]));
    const angle = 2 * Math.PI * x[i + 8];
    x[i] = radius * Math.cos(angle);
    x[i + 8] = radius * Math.sin(angle);
  }
}

/** One normal in double precision: of a pair the cosine now, the sine at the next call. */
function single_normal(generator) {
  if (generator.waiting !== null) {
    const normal = generator.waiting;
    generator.waiting = null;
    return normal;
  }
  const angle = 2 * Math.PI * generator.double();
  const radius = Math.sqrt(-2 * Math.log1p(-generator.double()));
  generator.waiting = radius * Math.sin(angle);
  return radius * Math.cos(angle);
}

/**
 * torch.multinomial with replacement: n indices, each with chance weights[k].
 * One draw alone (n = 1) torch makes in another way, which is not rebuilt here.
 */
export function multinomial(generator, weights, n) {
  const ends = new Float32Array(weights.length);
  let sum = 0;
  for (let k = 0; k < weights.length; k++) {
    sum = round(sum + weights[k]);
    ends[k] = sum;
  }
  for (let k = 0; k < ends.length; k++) ends[k] = round(ends[k] / sum);
  ends[ends.length - 1] = 1;

  return Int32Array.from({ length: n }, () => first_not_below(ends, generator.double()));
}

/** The first index whose entry of the rising row `ends` is at least u. */
export function first_not_below(ends, u) {
  let low = 0;
  let high = ends.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ends[middle] < u) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** torch.randperm: the numbers 0 … n − 1 in random order. */
export function randperm(generator, n) {
  const order = Int32Array.from({ length: n }, (_, i) => i);
  for (let i = 0; i < n - 1; i++) {
    const other = i + (generator.whole() % (n - i));
    [order[i], order[other]] = [order[other], order[i]];
  }
  return order;
}
