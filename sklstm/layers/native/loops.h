// The recurrent loops, forward and backward, for one instruction set.
//
// kernels.cpp includes this file once for each instruction set, within a namespace of its
// own, with WIDTH floats in a vector and at most ROWS rows in a tile. Arrays are row-major:
// steps, rows of the batch, gates and units.
//
// A tile holds the accumulators of a few rows and up to four vectors of columns in
// registers. Every column sums over the state in the order of its units, whatever the
// height of the tile, and only `fused` fuses products with sums. So a row has the same
// bytes in any batch and on any thread.

using Vector = float __attribute__((vector_size(WIDTH * 4)));
using Integers = int32_t __attribute__((vector_size(WIDTH * 4)));

INLINE Vector load(const float* from) {
  Vector v;
  std::memcpy(&v, from, sizeof v);
  return v;
}

INLINE void store(float* to, Vector v) { std::memcpy(to, &v, sizeof v); }

// The first n values, and zeros after them.
INLINE Vector load(const float* from, int64_t n) {
  if (n >= WIDTH) return load(from);
  float values[WIDTH] = {};
  for (int64_t i = 0; i < n; ++i) values[i] = from[i];
  return load(values);
}

INLINE void store(float* to, Vector v, int64_t n) {
  if (n >= WIDTH) return store(to, v);
  float values[WIDTH];
  store(values, v);
  for (int64_t i = 0; i < n; ++i) to[i] = values[i];
}

// a * b + c, in one rounding where the instructions have that.
INLINE Vector fused(Vector a, Vector b, Vector c) {
#if WIDTH == 16
  return (Vector)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif WIDTH == 8
  return (Vector)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#elif defined(__aarch64__)
  return (Vector)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#else
  return a * b + c;
#endif
}

INLINE Vector all(float value) { return Vector{} + value; }

// The polynomial of x with these coefficients, the highest power's first.
template <size_t N>
INLINE Vector polynomial(Vector x, const float (&coefficients)[N]) {
  Vector sum = all(coefficients[0]);
  for (size_t i = 1; i < N; ++i) sum = fused(sum, x, all(coefficients[i]));
  return sum;
}

INLINE Vector smaller(Vector a, Vector b) { return a < b ? a : b; }
INLINE Vector larger(Vector a, Vector b) { return a > b ? a : b; }
INLINE Vector absolute(Vector x) { return larger(x, -x); }

// Minimax ratio of polynomials in x * x. Its largest error is 3.3e-7, and no value is
// beyond 1; above 8.3 it is 1 within the precision of 32 bits.
INLINE Vector hyperbolic_tangent(Vector x) {
  x = larger(smaller(x, all(8.3f)), all(-8.3f));
  Vector y = x * x;
  Vector p = polynomial(y, {2.17974388e-11f, -1.41073135e-08f, 9.69588587e-06f,
                            2.96680454e-03f, 0.129617789f, 0.999999973f});
  Vector q = polynomial(y, {2.34515526e-04f, 2.39507925e-02f, 0.46295088f, 1.0f});
  return x * p / q;
}

// exp(x) for x <= 0, of a relative error of 2e-7; 0 below -87.
INLINE Vector exponential(Vector x) {
  Vector bounded = larger(x, all(-87.0f));
  // A conversion rounds towards zero, which is up.
  Integers whole =
      __builtin_convertvector(fused(bounded, all(1.44269504f), all(-0.5f)), Integers);
  Vector n = __builtin_convertvector(whole, Vector);
  // log(2) in two parts, the first of which has few digits.
  Vector r = fused(n, all(2.12194440e-4f), fused(n, all(-0.693359375f), bounded));
  Vector p = polynomial(r, {1.3836846e-3f, 8.37481589e-3f, 4.16682256e-2f, 0.166664202f,
                            0.499999921f, 1.0f, 1.0f});
  Integers exponent = (whole + 127) << 23;
  Vector power;
  std::memcpy(&power, &exponent, sizeof power);
  return x < -87.0f ? Vector{} : p * power;
}

// log(1 + x) for 0 <= x <= 1, of a relative error of 3e-7.
INLINE Vector log_one_plus(Vector x) {
  Vector p = polynomial(x, {3.417272e-3f, 0.238157195f, 1.06621789f, 0.999999999f});
  Vector q = polynomial(x, {7.52871568e-2f, 0.687935668f, 1.56621776f, 1.0f});
  return x * p / q;
}

// acc += rows of a @ packed columns.
template <int R, int V>
INLINE void multiply(const float* a, int64_t stride, const float* packed, int64_t depth,
                     Vector (&acc)[R][V]) {
  for (int64_t k = 0; k < depth; ++k) {
    Vector b[V];
    for (int v = 0; v < V; ++v) b[v] = load(packed + v * WIDTH);
    packed += V * WIDTH;
    for (int r = 0; r < R; ++r) {
      Vector factor = all(a[r * stride + k]);
      for (int v = 0; v < V; ++v) acc[r][v] = fused(factor, b[v], acc[r][v]);
    }
  }
}

// Calls body with the height of each tile as a constant: tiles of nearly equal height.
template <class Body>
INLINE void in_tiles(int64_t first, int64_t last, Body body) {
  int64_t n = last - first, n_tiles = (n + ROWS - 1) / ROWS;
  for (int64_t i = 0; i < n_tiles; ++i) {
    int64_t row = first + n * i / n_tiles, height = first + n * (i + 1) / n_tiles - row;
    switch (height) {
      case 1: body(row, std::integral_constant<int, 1>()); break;
      case 2: body(row, std::integral_constant<int, 2>()); break;
#if ROWS > 2
      case 3: body(row, std::integral_constant<int, 3>()); break;
#endif
#if ROWS > 3
      case 4: body(row, std::integral_constant<int, 4>()); break;
      case 5: body(row, std::integral_constant<int, 5>()); break;
      case 6: body(row, std::integral_constant<int, 6>()); break;
#endif
    }
  }
}

// The gates of WIDTH units side by side, for each row of the kernel; then those of the
// next units, with zeros beyond the last.
static Buffer pack_by_unit(const float* kernel, int64_t units, int64_t n_gates) {
  int64_t n_blocks = (units + WIDTH - 1) / WIDTH;
  Buffer packed(n_blocks * units * n_gates * WIDTH);
  float* to = packed.data();
  for (int64_t unit = 0; unit < units; unit += WIDTH)
    for (int64_t row = 0; row < units * n_gates; ++row, to += WIDTH)
      store(to, load(kernel + row * units + unit, units - unit));
  return packed;
}

// Columns of a matrix in blocks of up to 4 * WIDTH, with zeros beyond the last. The value
// in row k and column j is matrix[k * row + j * column].
static Buffer pack_columns(const float* matrix, int64_t depth, int64_t width, int64_t row,
                           int64_t column) {
  int64_t n_vectors = (width + WIDTH - 1) / WIDTH;
  Buffer packed(n_vectors * WIDTH * depth);
  float* to = packed.data();
  for (int64_t first = 0; first < n_vectors; first += 4) {
    int64_t lanes = std::min<int64_t>(4, n_vectors - first) * WIDTH;
    for (int64_t k = 0; k < depth; ++k)
      for (int64_t lane = 0; lane < lanes; ++lane) {
        int64_t j = first * WIDTH + lane;
        *to++ = j < width ? matrix[k * row + j * column] : 0.0f;
      }
  }
  return packed;
}

template <int R>
INLINE bool all_masked(const uint8_t* mask) {
  for (int r = 0; r < R; ++r)
    if (mask[r]) return false;
  return true;
}

// The first gate of a step's row.
INLINE const float* gates_at(const Inputs& p, int64_t step, int64_t row, int64_t width) {
  const int64_t at = step * p.step_stride + row * p.row_stride;
  return p.gates + (p.place ? p.place[at] : at) * width;
}

// Whether no row of a tile goes on; their states are those before.
template <int R>
INLINE bool held(const uint8_t* mask, const float* before, float* after, int64_t units,
                 int64_t n) {
  if (!mask || !all_masked<R>(mask)) return false;
  for (int r = 0; r < R; ++r)
    store(after + r * units, load(before + r * units, n), n);
  return true;
}

// The values of a step, and those before it, in memory of as many steps as `slots`.
INLINE float* after(float* states, const Inputs& p, int64_t step, int64_t slots) {
  return states + step % slots * p.rows * p.units;
}
INLINE const float* before(const float* first, float* states, const Inputs& p,
                           int64_t step, int64_t slots) {
  return step ? after(states, p, step - 1, slots) : first;
}

// The states that enter the recurrent product: those before the step, times drop.
INLINE const float* entering(const float* h, const float* drop, float* scratch,
                             int64_t first, int64_t last, int64_t units) {
  if (!drop) return h;
  for (int64_t i = first * units; i < last * units; ++i) scratch[i] = h[i] * drop[i];
  return scratch;
}

// Calls body with each block of columns, and its number of vectors as a constant.
template <class Body>
INLINE void in_blocks(int64_t width, Body body) {
  for (int64_t column = 0; column < width; column += 4 * WIDTH)
    switch (std::min<int64_t>(4, (width - column + WIDTH - 1) / WIDTH)) {
      case 1: body(column, std::integral_constant<int, 1>()); break;
      case 2: body(column, std::integral_constant<int, 2>()); break;
      case 3: body(column, std::integral_constant<int, 3>()); break;
      default: body(column, std::integral_constant<int, 4>());
    }
}

// From gradients of a step's gates to those of the states before it:
// dh = d_gates @ kernel.T * drop + direct, for rows that are not masked.
template <int R>
INLINE void through_product(const float* d_gates, int64_t width, const float* packed,
                            const uint8_t* mask, const float* drop, const float* direct,
                            float* dh, int64_t units) {
  in_blocks(units, [&](int64_t column, auto n_vectors) {
    constexpr int V = n_vectors.value;
    Vector acc[R][V] = {};
    multiply<R, V>(d_gates, width, packed + column * width, width, acc);
    for (int r = 0; r < R; ++r) {
      if (mask && !mask[r]) continue;
      for (int v = 0; v < V; ++v) {
        int64_t at = r * units + column + v * WIDTH;
        int64_t n = units - column - v * WIDTH;
        if (drop) acc[r][v] *= load(drop + at, n);
        if (direct) acc[r][v] += load(direct + at, n);
        store(dh + at, acc[r][v], n);
      }
    }
  });
}

// Long short-term memory, whose gates i, f and o have halved weights: their sigmoid is
// (tanh + 1) / 2. It keeps the tanh of all gates for the way back.
template <int R>
INLINE void lstm_tile(const LstmForward& p, const float* packed, const float* h_in,
                      const float* h_before, const float* c_before, float* h_after,
                      float* c_after, int64_t step, int64_t row, int64_t unit) {
  const int64_t units = p.units, at = step * p.rows + row, n = units - unit;
  const int64_t kept_at = step % p.slots * p.rows + row, here = row * units + unit;
  const uint8_t* mask = p.mask ? p.mask + at : nullptr;
  if (held<R>(mask, h_before + here, h_after + here, units, n)) {
    held<R>(mask, c_before + here, c_after + here, units, n);
    return;
  }
  Vector acc[R][4];
  for (int r = 0; r < R; ++r) {
    const float* gates = gates_at(p, step, row + r, 4 * units) + unit;
    for (int g = 0; g < 4; ++g) acc[r][g] = load(gates + g * units, n);
  }
  multiply<R, 4>(h_in + row * units, units, packed + unit * 4 * units, units, acc);
  for (int r = 0; r < R; ++r) {
    const int64_t place = here + r * units;
    Vector old = load(c_before + place, n);
    if (mask && !mask[r]) {
      store(h_after + place, load(h_before + place, n), n);
      store(c_after + place, old, n);
      continue;
    }
    Vector t[4];
    for (int g = 0; g < 4; ++g) t[g] = hyperbolic_tangent(acc[r][g]);
    float* kept = p.t + (kept_at + r) * 4 * units + unit;
    for (int g = 0; g < 4; ++g) store(kept + g * units, t[g], n);
    Vector cell = 0.5f * fused(t[0] + 1.0f, t[2], (t[1] + 1.0f) * old);
    store(c_after + place, cell, n);
    store(h_after + place, 0.5f * (t[3] + 1.0f) * hyperbolic_tangent(cell), n);
  }
}

static void lstm_forward(const LstmForward& p, const float* packed, int64_t first,
                         int64_t last) {
  Buffer scratch(p.drop ? p.rows * p.units : 0);
  for (int64_t step = 0; step < p.steps; ++step) {
    const float* h = before(p.h0, p.h, p, step, p.h_slots);
    const float* c = before(p.c0, p.c, p, step, p.slots);
    float *h_after = after(p.h, p, step, p.h_slots), *c_after = after(p.c, p, step, p.slots);
    const float* h_in = entering(h, p.drop, scratch.data(), first, last, p.units);
    for (int64_t unit = 0; unit < p.units; unit += WIDTH)
      in_tiles(first, last, [&](int64_t row, auto height) {
        lstm_tile<height.value>(p, packed, h_in, h, c, h_after, c_after, step, row, unit);
      });
  }
}

template <int R>
INLINE void lstm_tile_back(const LstmBackward& p, const float* packed, int64_t step,
                           int64_t row) {
  const int64_t units = p.units, at = step * p.rows + row;
  const uint8_t* mask = p.mask ? p.mask + at : nullptr;
  float* d_gates = p.d_gates + at * 4 * units;
  float* dh_row = p.dh + row * units;
  float* dc_row = p.dc + row * units;
  const float* c_before = step ? p.c + (at - p.rows) * units : p.c0 + row * units;
  for (int r = 0; r < R; ++r)
    for (int64_t unit = 0; unit < units; unit += WIDTH) {
      const int64_t n = units - unit, here = r * units + unit;
      float* d = d_gates + r * 4 * units + unit;
      Vector dh = load(dh_row + here, n) + load(p.dh_steps + at * units + here, n);
      if (mask && !mask[r]) {
        store(dh_row + here, dh, n);
        for (int g = 0; g < 4; ++g) store(d + g * units, Vector{}, n);
        continue;
      }
      const float* kept = p.t + (at + r) * 4 * units + unit;
      Vector i = load(kept, n), f = load(kept + units, n);
      Vector g = load(kept + 2 * units, n), o = load(kept + 3 * units, n);
      Vector tanh_c = hyperbolic_tangent(load(p.c + at * units + here, n));
      Vector old = load(c_before + here, n);
      Vector dc = load(dc_row + here, n);
      dc += 0.5f * dh * (o + 1.0f) * (1.0f - tanh_c * tanh_c);
      store(d, 0.5f * dc * g * (1.0f - i * i), n);
      store(d + units, 0.5f * dc * old * (1.0f - f * f), n);
      store(d + 2 * units, 0.5f * dc * (i + 1.0f) * (1.0f - g * g), n);
      store(d + 3 * units, 0.5f * dh * tanh_c * (1.0f - o * o), n);
      store(dc_row + here, 0.5f * dc * (f + 1.0f), n);
    }
  if (mask && all_masked<R>(mask)) return;
  const float* drop = p.drop ? p.drop + row * units : nullptr;
  through_product<R>(d_gates, 4 * units, packed, mask, drop, nullptr, dh_row, units);
}

static void lstm_backward(const LstmBackward& p, const float* packed, int64_t first,
                          int64_t last) {
  const int64_t begin = first * p.units, count = (last - first) * p.units;
  std::fill_n(p.dh + begin, count, 0.0f);
  std::copy_n(p.dc_last + begin, count, p.dc + begin);
  for (int64_t step = p.steps - 1; step >= 0; --step)
    in_tiles(first, last, [&](int64_t row, auto height) {
      lstm_tile_back<height.value>(p, packed, step, row);
    });
}

// Gated recurrent unit, reset after the product: gates z, r, h. It keeps z, r, the new
// value and the product that r scales.
template <int R>
INLINE void gru_tile(const GruForward& p, const float* packed, const float* h_in,
                     const float* h_before, float* h_after, int64_t step, int64_t row,
                     int64_t unit) {
  const int64_t units = p.units, at = step * p.rows + row, n = units - unit;
  const int64_t kept_at = step % p.slots * p.rows + row, here = row * units + unit;
  const uint8_t* mask = p.mask ? p.mask + at : nullptr;
  if (held<R>(mask, h_before + here, h_after + here, units, n)) return;
  Vector acc[R][3];
  for (int r = 0; r < R; ++r)
    for (int g = 0; g < 3; ++g) acc[r][g] = load(p.bias + g * units + unit, n);
  multiply<R, 3>(h_in + row * units, units, packed + unit * 3 * units, units, acc);
  for (int r = 0; r < R; ++r) {
    Vector old = load(h_before + here + r * units, n);
    float* h = h_after + here + r * units;
    if (mask && !mask[r]) {
      store(h, old, n);
      continue;
    }
    const float* gates = gates_at(p, step, row + r, 3 * units) + unit;
    Vector z = hyperbolic_tangent(0.5f * (load(gates, n) + acc[r][0]));
    Vector reset = hyperbolic_tangent(0.5f * (load(gates + units, n) + acc[r][1]));
    z = 0.5f * (z + 1.0f);
    reset = 0.5f * (reset + 1.0f);
    Vector made = hyperbolic_tangent(load(gates + 2 * units, n) + reset * acc[r][2]);
    const int64_t kept = (kept_at + r) * units + unit;
    store(p.z + kept, z, n);
    store(p.reset + kept, reset, n);
    store(p.made + kept, made, n);
    store(p.inner + kept, acc[r][2], n);
    store(h, z * (old - made) + made, n);
  }
}

static void gru_forward(const GruForward& p, const float* packed, int64_t first,
                        int64_t last) {
  Buffer scratch(p.drop ? p.rows * p.units : 0);
  for (int64_t step = 0; step < p.steps; ++step) {
    const float* h = before(p.h0, p.h, p, step, p.h_slots);
    float* h_after = after(p.h, p, step, p.h_slots);
    const float* h_in = entering(h, p.drop, scratch.data(), first, last, p.units);
    for (int64_t unit = 0; unit < p.units; unit += WIDTH)
      in_tiles(first, last, [&](int64_t row, auto height) {
        gru_tile<height.value>(p, packed, h_in, h, h_after, step, row, unit);
      });
  }
}

template <int R>
INLINE void gru_tile_back(const GruBackward& p, const float* packed, int64_t step,
                          int64_t row) {
  const int64_t units = p.units, at = step * p.rows + row;
  const uint8_t* mask = p.mask ? p.mask + at : nullptr;
  const float* h_before = step ? p.h + (at - p.rows) * units : p.h0 + row * units;
  float* dh_row = p.dh + row * units;
  for (int r = 0; r < R; ++r)
    for (int64_t unit = 0; unit < units; unit += WIDTH) {
      const int64_t n = units - unit, here = r * units + unit;
      float* d_inner = p.d_inner + (at + r) * 3 * units + unit;
      float* d_made = p.d_made + at * units + here;
      Vector dh = load(dh_row + here, n) + load(p.dh_steps + at * units + here, n);
      if (mask && !mask[r]) {
        store(dh_row + here, dh, n);
        for (int g = 0; g < 3; ++g) store(d_inner + g * units, Vector{}, n);
        store(d_made, Vector{}, n);
        continue;
      }
      const int64_t kept = at * units + here;
      Vector z = load(p.z + kept, n), reset = load(p.reset + kept, n);
      Vector made = load(p.made + kept, n), inner = load(p.inner + kept, n);
      Vector dg = (1.0f - z) * dh * (1.0f - made * made);
      store(d_inner, (load(h_before + here, n) - made) * dh * z * (1.0f - z), n);
      store(d_inner + units, dg * inner * reset * (1.0f - reset), n);
      store(d_inner + 2 * units, dg * reset, n);
      store(d_made, dg, n);
      store(dh_row + here, z * dh, n);
    }
  if (mask && all_masked<R>(mask)) return;
  const float* drop = p.drop ? p.drop + row * units : nullptr;
  const float* d_gates = p.d_inner + at * 3 * units;
  through_product<R>(d_gates, 3 * units, packed, mask, drop, dh_row, dh_row, units);
}

static void gru_backward(const GruBackward& p, const float* packed, int64_t first,
                         int64_t last) {
  std::fill_n(p.dh + first * p.units, (last - first) * p.units, 0.0f);
  for (int64_t step = p.steps - 1; step >= 0; --step)
    in_tiles(first, last, [&](int64_t row, auto height) {
      gru_tile_back<height.value>(p, packed, step, row);
    });
}

// Simple recurrent network, whose states are all that the way back needs.
static void rnn_forward(const RnnForward& p, const float* packed, int64_t first,
                        int64_t last) {
  const int64_t units = p.units;
  Buffer scratch(p.drop ? p.rows * units : 0);
  for (int64_t step = 0; step < p.steps; ++step) {
    const float* h = before(p.h0, p.h, p, step, p.h_slots);
    float* h_after = after(p.h, p, step, p.h_slots);
    const float* h_in = entering(h, p.drop, scratch.data(), first, last, units);
    in_blocks(units, [&](int64_t column, auto n_vectors) {
      in_tiles(first, last, [&](int64_t row, auto height) {
        constexpr int R = height.value, V = n_vectors.value;
        const int64_t at = step * p.rows + row;
        Vector acc[R][V];
        for (int r = 0; r < R; ++r)
          for (int v = 0; v < V; ++v) {
            const int64_t unit = column + v * WIDTH;
            acc[r][v] = load(gates_at(p, step, row + r, units) + unit, units - unit);
          }
        multiply<R, V>(h_in + row * units, units, packed + column * units, units, acc);
        for (int r = 0; r < R; ++r)
          for (int v = 0; v < V; ++v) {
            const int64_t unit = column + v * WIDTH, n = units - unit;
            const int64_t here = (row + r) * units + unit;
            const bool is_held = p.mask && !p.mask[at + r];
            store(h_after + here,
                  is_held ? load(h + here, n) : hyperbolic_tangent(acc[r][v]), n);
          }
      });
    });
  }
}

template <int R>
INLINE void rnn_tile_back(const RnnBackward& p, const float* packed, int64_t step,
                          int64_t row) {
  const int64_t units = p.units, at = step * p.rows + row;
  const uint8_t* mask = p.mask ? p.mask + at : nullptr;
  float* dh_row = p.dh + row * units;
  float* d_gates = p.d_gates + at * units;
  for (int r = 0; r < R; ++r)
    for (int64_t unit = 0; unit < units; unit += WIDTH) {
      const int64_t n = units - unit, here = r * units + unit;
      Vector dh = load(dh_row + here, n) + load(p.dh_steps + at * units + here, n);
      Vector h = load(p.h + at * units + here, n);
      const bool held = mask && !mask[r];
      if (held) store(dh_row + here, dh, n);
      store(d_gates + here, held ? Vector{} : dh * (1.0f - h * h), n);
    }
  if (mask && all_masked<R>(mask)) return;
  const float* drop = p.drop ? p.drop + row * units : nullptr;
  through_product<R>(d_gates, units, packed, mask, drop, nullptr, dh_row, units);
}

static void rnn_backward(const RnnBackward& p, const float* packed, int64_t first,
                         int64_t last) {
  std::fill_n(p.dh + first * p.units, (last - first) * p.units, 0.0f);
  for (int64_t step = p.steps - 1; step >= 0; --step)
    in_tiles(first, last, [&](int64_t row, auto height) {
      rnn_tile_back<height.value>(p, packed, step, row);
    });
}

// Scalar-memory LSTM: gates i, f, z, o; the normalizer n is a logarithm. It keeps
// sigmoid(-f), z, o and the share of z in the new cell.
template <int R>
INLINE void slstm_tile(const SlstmForward& p, const float* packed, const float* h_in,
                       const float* h_before, const float* c_before, float* h_after,
                       float* c_after, int64_t step, int64_t row, int64_t unit) {
  const int64_t units = p.units, at = step * p.rows + row, n = units - unit;
  const int64_t kept_at = step % p.slots * p.rows + row, here = row * units + unit;
  const uint8_t* mask = p.mask ? p.mask + at : nullptr;
  if (held<R>(mask, h_before + here, h_after + here, units, n)) {
    held<R>(mask, c_before + here, c_after + here, units, n);
    return;
  }
  Vector acc[R][4];
  for (int r = 0; r < R; ++r) {
    const float* gates = gates_at(p, step, row + r, 4 * units) + unit;
    for (int g = 0; g < 4; ++g) acc[r][g] = load(gates + g * units, n);
  }
  multiply<R, 4>(h_in + row * units, units, packed + unit * 4 * units, units, acc);
  for (int r = 0; r < R; ++r) {
    const int64_t place = here + r * units;
    float *h = h_after + place, *c = c_after + place;
    Vector old = load(c_before + place, n);
    if (mask && !mask[r]) {
      store(h, load(h_before + place, n), n);
      store(c, old, n);
      continue;
    }
    Vector i = acc[r][0], f = acc[r][1], z = hyperbolic_tangent(acc[r][2]);
    Vector o = 0.5f * (hyperbolic_tangent(0.5f * acc[r][3]) + 1.0f);
    Vector decay = exponential(-absolute(f));
    Vector lost = (f > 0.0f ? decay : all(1.0f)) / (decay + 1.0f);
    Vector norm = load(p.n + place, n) + (smaller(f, Vector{}) - log_one_plus(decay));
    Vector excess = norm - i;
    decay = exponential(-absolute(excess));
    Vector share = (excess > 0.0f ? decay : all(1.0f)) / (decay + 1.0f);
    store(p.n + place, larger(norm, i) + log_one_plus(decay), n);
    Vector cell = share * (z - old) + old;
    float* kept = p.kept + (kept_at + r) * 4 * units + unit;
    store(kept, lost, n);
    store(kept + units, z, n);
    store(kept + 2 * units, o, n);
    store(kept + 3 * units, share, n);
    store(c, cell, n);
    store(h, o * cell, n);
  }
}

static void slstm_forward(const SlstmForward& p, const float* packed, int64_t first,
                          int64_t last) {
  Buffer scratch(p.drop ? p.rows * p.units : 0);
  const int64_t begin = first * p.units;
  std::copy_n(p.n0 + begin, (last - first) * p.units, p.n + begin);
  for (int64_t step = 0; step < p.steps; ++step) {
    const float* h = before(p.h0, p.h, p, step, p.h_slots);
    const float* c = before(p.c0, p.c, p, step, p.slots);
    float *h_after = after(p.h, p, step, p.h_slots), *c_after = after(p.c, p, step, p.slots);
    const float* h_in = entering(h, p.drop, scratch.data(), first, last, p.units);
    for (int64_t unit = 0; unit < p.units; unit += WIDTH)
      in_tiles(first, last, [&](int64_t row, auto height) {
        slstm_tile<height.value>(p, packed, h_in, h, c, h_after, c_after, step, row, unit);
      });
  }
}

template <int R>
INLINE void slstm_tile_back(const SlstmBackward& p, const float* packed, int64_t step,
                            int64_t row) {
  const int64_t units = p.units, at = step * p.rows + row;
  const uint8_t* mask = p.mask ? p.mask + at : nullptr;
  const float* c_before = step ? p.c + (at - p.rows) * units : p.c0 + row * units;
  float* d_gates = p.d_gates + at * 4 * units;
  float *dh_row = p.dh + row * units, *dc_row = p.dc + row * units;
  float* dn_row = p.dn + row * units;
  for (int r = 0; r < R; ++r)
    for (int64_t unit = 0; unit < units; unit += WIDTH) {
      const int64_t n = units - unit, here = r * units + unit;
      float* d = d_gates + r * 4 * units + unit;
      Vector dh = load(dh_row + here, n) + load(p.dh_steps + at * units + here, n);
      if (mask && !mask[r]) {
        store(dh_row + here, dh, n);
        for (int g = 0; g < 4; ++g) store(d + g * units, Vector{}, n);
        continue;
      }
      const float* kept = p.kept + (at + r) * 4 * units + unit;
      Vector lost = load(kept, n), z = load(kept + units, n);
      Vector o = load(kept + 2 * units, n), share = load(kept + 3 * units, n);
      Vector dn = load(dn_row + here, n), kept_share = 1.0f - share;
      Vector dc = dh * o + load(dc_row + here, n);
      Vector moved = share * dc * (z - load(c_before + here, n));
      Vector d_old = kept_share * (dn - moved);
      Vector c = load(p.c + at * units + here, n);
      store(d, dn - d_old, n);
      store(d + units, d_old * lost, n);
      store(d + 2 * units, dc * share * (1.0f - z * z), n);
      store(d + 3 * units, dh * c * o * (1.0f - o), n);
      store(dc_row + here, dc * kept_share, n);
      store(dn_row + here, d_old, n);
    }
  if (mask && all_masked<R>(mask)) return;
  const float* drop = p.drop ? p.drop + row * units : nullptr;
  through_product<R>(d_gates, 4 * units, packed, mask, drop, nullptr, dh_row, units);
}

static void slstm_backward(const SlstmBackward& p, const float* packed, int64_t first,
                           int64_t last) {
  const int64_t begin = first * p.units, count = (last - first) * p.units;
  std::fill_n(p.dh + begin, count, 0.0f);
  std::copy_n(p.dc_last + begin, count, p.dc + begin);
  std::copy_n(p.dn_last + begin, count, p.dn + begin);
  for (int64_t step = p.steps - 1; step >= 0; --step)
    in_tiles(first, last, [&](int64_t row, auto height) {
      slstm_tile_back<height.value>(p, packed, step, row);
    });
}

static void sum_rows(const Sums& p, int64_t first, int64_t last) {
  for (int64_t place = first; place < last; ++place) {
    float* sum = p.sums + place * p.width;
    std::fill_n(sum, p.width, 0.0f);
    for (int64_t i = p.starts[place]; i < p.starts[place + 1]; ++i) {
      const float* row = p.values + p.order[i] * p.width;
      for (int64_t j = 0; j < p.width; j += WIDTH) {
        const int64_t n = p.width - j;
        store(sum + j, load(sum + j, n) + load(row + j, n), n);
      }
    }
  }
}

static void project(const Product& p, const float* packed, int64_t rows) {
  in_blocks(p.width, [&](int64_t column, auto n_vectors) {
    in_tiles(0, rows, [&](int64_t row, auto height) {
      constexpr int R = height.value, V = n_vectors.value;
      Vector acc[R][V];
      for (int v = 0; v < V; ++v) {
        const int64_t at = column + v * WIDTH;
        acc[0][v] = load(p.bias + at, p.width - at);
        for (int r = 1; r < R; ++r) acc[r][v] = acc[0][v];
      }
      multiply<R, V>(p.values + row * p.depth, p.depth, packed + column * p.depth, p.depth,
                     acc);
      for (int r = 0; r < R; ++r)
        for (int v = 0; v < V; ++v) {
          const int64_t at = column + v * WIDTH;
          store(p.sums + (row + r) * p.width + at, acc[r][v], p.width - at);
        }
    });
  });
}

static const Instructions kInstructions = {
    pack_by_unit, pack_columns, lstm_forward,  lstm_backward,  gru_forward, gru_backward,
    rnn_forward,  rnn_backward, slstm_forward, slstm_backward, sum_rows,
    project,
};
