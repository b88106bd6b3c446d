/* The seven products of ops.js once more, in C for WebAssembly with SIMD: float32, four at a time.

   Every matrix is stored row by row. A column is an example, and n columns are a multiple of
   LANES = 8 (ops.js fills up), so that eight columns are two vectors and no loop has a remainder.
   The arguments are those of ops.js. Made by this one command, with Debian's clang and lld:

   clang --target=wasm32 -O3 -msimd128 -nostdlib -ffreestanding -fno-builtin -Wl,--no-entry -Wl,--export-dynamic -Wl,--export=__heap_base -Wl,--import-memory -Wl,--strip-all -o engine.wasm engine.c
*/

#include <wasm_simd128.h>

#define EXPORT __attribute__((visibility("default")))
#define INLINE static inline __attribute__((always_inline))

typedef v128_t v4;

INLINE v4 load(const float *at) { return wasm_v128_load(at); }
INLINE v4 splat(float x) { return wasm_f32x4_splat(x); }
INLINE v4 plus(v4 a, v4 b) { return wasm_f32x4_add(a, b); }
INLINE v4 minus(v4 a, v4 b) { return wasm_f32x4_sub(a, b); }
INLINE v4 times(v4 a, v4 b) { return wasm_f32x4_mul(a, b); }

/* `height` rows of y = A x (+ b): element (r, k) of A stands at A[r * down + k * right], so that
   the same lines serve W and its transpose. Sums of 4 rows and 8 columns stay in registers. */
INLINE void rows_of_product(int height, float *y, const float *A, int down, int right,
                            const float *b, const float *x, int inner, int n) {
  for (int j = 0; j < n; j += 8) {
    v4 sum[4][2];
    for (int r = 0; r < height; r++) sum[r][0] = sum[r][1] = splat(b ? b[r] : 0);
    for (int k = 0; k < inner; k++) {
      v4 left = load(x + k * n + j), next = load(x + k * n + j + 4);
      for (int r = 0; r < height; r++) {
        v4 weight = splat(A[r * down + k * right]);
        sum[r][0] = plus(sum[r][0], times(weight, left));
        sum[r][1] = plus(sum[r][1], times(weight, next));
      }
    }
    for (int r = 0; r < height; r++) {
      wasm_v128_store(y + r * n + j, sum[r][0]);
      wasm_v128_store(y + r * n + j + 4, sum[r][1]);
    }
  }
}

INLINE void product(float *y, const float *A, int down, int right, const float *b, const float *x,
                    int rows, int inner, int n) {
  int r = 0;
  for (; r + 4 <= rows; r += 4)
    rows_of_product(4, y + r * n, A + r * down, down, right, b ? b + r : 0, x, inner, n);
  for (; r < rows; r++)
    rows_of_product(1, y + r * n, A + r * down, down, right, b ? b + r : 0, x, inner, n);
}

EXPORT void mul(float *y, const float *W, const float *b, const float *x, int rows, int inner,
                int n) {
  product(y, W, inner, 1, b, x, rows, inner, n);
}

EXPORT void mulT(float *y, const float *W, const float *z, int rows, int inner, int n) {
  product(y, W, 1, inner, 0, z, inner, rows, n);
}

INLINE float total(v4 x) {
  return (wasm_f32x4_extract_lane(x, 0) + wasm_f32x4_extract_lane(x, 1)) +
         (wasm_f32x4_extract_lane(x, 2) + wasm_f32x4_extract_lane(x, 3));
}

/* A block of dW += z h^T, `height` by `width` of its elements: each is a sum over the columns. */
INLINE void block_of_outer(int height, int width, float *dW, const float *z, const float *h,
                           int inner, int n) {
  v4 sum[4][2];
  for (int r = 0; r < height; r++)
    for (int k = 0; k < width; k++) sum[r][k] = splat(0);
  for (int j = 0; j < n; j += 4)
    for (int r = 0; r < height; r++)
      for (int k = 0; k < width; k++)
        sum[r][k] = plus(sum[r][k], times(load(z + r * n + j), load(h + k * n + j)));
  for (int r = 0; r < height; r++)
    for (int k = 0; k < width; k++) dW[r * inner + k] += total(sum[r][k]);
}

EXPORT void outer(float *dW, float *db, const float *z, const float *h, int rows, int inner,
                  int n) {
  for (int k = 0; k < inner; k += 2) {
    int r = 0, wide = k + 2 <= inner;
    for (; wide && r + 4 <= rows; r += 4)
      block_of_outer(4, 2, dW + r * inner + k, z + r * n, h + k * n, inner, n);
    for (; wide && r < rows; r++)
      block_of_outer(1, 2, dW + r * inner + k, z + r * n, h + k * n, inner, n);
    for (; r < rows; r++)
      block_of_outer(1, 1, dW + r * inner + k, z + r * n, h + k * n, inner, n);
  }
  if (!db) return;
  for (int r = 0; r < rows; r++) {
    v4 sum = splat(0);
    for (int j = 0; j < n; j += 4) sum = plus(sum, load(z + r * n + j));
    db[r] += total(sum);
  }
}

/* e^x for x <= 0: 2^i 2^f with i whole and |f| <= 1/2. Adding 1.5 * 2^23 rounds t to i and leaves i
   in the lowest bits, from where it is shifted into the exponent; 2^f comes by its series. */
INLINE v4 exponential(v4 x) {
  const v4 rounding = splat(12582912);
  v4 t = wasm_f32x4_pmax(times(x, splat(1.44269504f)), splat(-126)), i = plus(t, rounding);
  v4 f = times(minus(t, minus(i, rounding)), splat(0.693147181f)), sum = splat(1.0f / 720);
  const float series[] = {1.0f / 120, 1.0f / 24, 1.0f / 6, 0.5f, 1, 1};
  for (int k = 0; k < 6; k++) sum = plus(times(sum, f), splat(series[k]));
  return wasm_i32x4_add(sum, wasm_i32x4_shl(i, 23));
}

EXPORT void tanh(float *h, const float *a, int size) {
  for (int i = 0; i < size; i += 4) {
    v4 x = load(a + i), e = exponential(times(wasm_f32x4_abs(x), splat(-2)));
    v4 y = wasm_f32x4_div(minus(splat(1), e), plus(splat(1), e));
    const v4 sign = wasm_i32x4_splat(1 << 31);
    wasm_v128_store(h + i, wasm_v128_bitselect(x, y, sign)); /* the size of y, the sign of x */
  }
}

EXPORT void slope(float *y, const float *z, const float *h, int size) {
  for (int i = 0; i < size; i += 4) {
    v4 H = load(h + i);
    wasm_v128_store(y + i, times(load(z + i), minus(splat(1), times(H, H))));
  }
}

EXPORT void bend(float *z, const float *h, const float *da, const float *v, int size) {
  for (int i = 0; i < size; i += 4) {
    v4 bent = times(times(load(h + i), load(da + i)), load(v + i));
    wasm_v128_store(z + i, minus(load(z + i), times(splat(2), bent)));
  }
}

EXPORT void adam(float *p, const float *g, float *m, float *v, int size, float rate, float beta1,
                 float beta2, float root) {
  for (int i = 0; i < size; i += 4) {
    v4 G = load(g + i), M = load(m + i), V = load(v + i);
    M = plus(M, times(splat(1 - beta1), minus(G, M)));
    V = plus(times(splat(beta2), V), times(splat(1 - beta2), times(G, G)));
    v4 spread = plus(wasm_f32x4_div(wasm_f32x4_sqrt(V), splat(root)), splat(1e-8f));
    wasm_v128_store(m + i, M);
    wasm_v128_store(v + i, V);
    wasm_v128_store(p + i, minus(load(p + i), wasm_f32x4_div(times(splat(rate), M), spread)));
  }
}
