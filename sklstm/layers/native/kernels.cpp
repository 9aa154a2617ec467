// Recurrent loops for XLA on a CPU; see the docstring of __init__.py for the design.

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#include "xla/ffi/api/ffi.h"

#define INLINE inline __attribute__((always_inline))

namespace ffi = xla::ffi;

namespace {

using Buffer = std::vector<float>;

// What all ways there read. Gates are the input's share of a step's row; or those of
// distinct words, and `place` says which of them a step's row reads.
struct Inputs {
  int64_t steps, rows, units;
  // States and kept values lie in as many steps as these, the last over the first.
  int64_t h_slots, slots;
  const float* gates;
  const int32_t* place;           // or none
  int64_t step_stride, row_stride;  // of gates or, if there are places, of them
  const uint8_t* mask;            // steps, rows; or none
  const float* drop;              // rows, units; or none
};

struct LstmForward : Inputs {
  const float *h0, *c0;
  float *t, *h, *c;
};

struct LstmBackward {
  int64_t steps, rows, units;
  const uint8_t* mask;
  const float *drop, *t, *c, *c0, *dh_steps, *dc_last;
  float *d_gates, *dh, *dc;
};

struct GruForward : Inputs {
  const float *bias, *h0;
  float *z, *reset, *made, *inner, *h;
};

struct GruBackward {
  int64_t steps, rows, units;
  const uint8_t* mask;
  const float *drop, *z, *reset, *made, *inner, *h, *h0, *dh_steps;
  float *d_inner, *d_made, *dh;
};

struct RnnForward : Inputs {
  const float* h0;
  float* h;
};

struct RnnBackward {
  int64_t steps, rows, units;
  const uint8_t* mask;
  const float *drop, *h, *dh_steps;
  float *d_gates, *dh;
};

struct SlstmForward : Inputs {
  const float *h0, *c0, *n0;
  float *kept, *h, *c, *n;
};

struct SlstmBackward {
  int64_t steps, rows, units;
  const uint8_t* mask;
  const float *drop, *kept, *c, *c0, *dh_steps, *dc_last, *dn_last;
  float *d_gates, *dh, *dc, *dn;
};

// Rows of a table summed by place: those of place p are order[starts[p]] and following.
struct Sums {
  int64_t width;
  const float* values;
  const int32_t *order, *starts;
  float* sums;
};

// A loop over some rows of the batch, from first to last, with packed weights.
template <class Arrays>
using Loop = void (*)(const Arrays&, const float* packed, int64_t first, int64_t last);

// Columns of a product: rows of values by packed columns, plus bias.
struct Product {
  int64_t depth, width;
  const float *values, *bias;
  float* sums;
};

struct Instructions {
  Buffer (*pack_by_unit)(const float*, int64_t units, int64_t n_gates);
  Buffer (*pack_columns)(const float*, int64_t depth, int64_t width, int64_t row,
                         int64_t column);
  Loop<LstmForward> lstm_forward;
  Loop<LstmBackward> lstm_backward;
  Loop<GruForward> gru_forward;
  Loop<GruBackward> gru_backward;
  Loop<RnnForward> rnn_forward;
  Loop<RnnBackward> rnn_backward;
  Loop<SlstmForward> slstm_forward;
  Loop<SlstmBackward> slstm_backward;
  void (*sum_rows)(const Sums&, int64_t first, int64_t last);
  void (*project)(const Product&, const float* packed, int64_t rows);
};

// Whatever the compiler's flags allow; 128 bits on ARM and on x86.
namespace plain {
#define WIDTH 4
#if defined(__aarch64__)
#define ROWS 6
#else
#define ROWS 2
#endif
#include "loops.h"
#undef WIDTH
#undef ROWS
}  // namespace plain

#if defined(__x86_64__)
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif
namespace avx2 {
#define WIDTH 8
#define ROWS 3
#include "loops.h"
#undef WIDTH
#undef ROWS
}  // namespace avx2
#if defined(__clang__)
#pragma clang attribute pop
#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx512vl,fma"))), apply_to = function)
#else
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("avx512f,avx512dq,avx512vl,fma")
#endif
namespace avx512 {
#define WIDTH 16
#define ROWS 6
#include "loops.h"
#undef WIDTH
#undef ROWS
}  // namespace avx512
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#endif

const Instructions* find(const std::string& name) {
#if defined(__x86_64__)
  const bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool has_avx512 = has_avx2 && __builtin_cpu_supports("avx512f") &&
                          __builtin_cpu_supports("avx512dq") &&
                          __builtin_cpu_supports("avx512vl");
  if (name == "avx512") return has_avx512 ? &avx512::kInstructions : nullptr;
  if (name == "avx2") return has_avx2 ? &avx2::kInstructions : nullptr;
#endif
  return name == "plain" ? &plain::kInstructions : nullptr;
}

std::atomic<const Instructions*> chosen{&plain::kInstructions};

// Rows of the batch in parts, one a thread. The calling thread takes parts, too, and waits
// for parts that others have begun, but never for one that nobody has: threads of XLA that
// are busy, or wait themselves, then hold up nothing.
template <class Work>
void share_rows(ffi::ThreadPool& pool, int64_t rows, const Work& work) {
  struct State {
    std::atomic<int64_t> next{0}, done{0};
  };
  const int64_t n_parts = std::max<int64_t>(1, std::min(pool.num_threads(), rows / 2));
  auto state = std::make_shared<State>();
  const auto take = [state, n_parts, rows, &work] {
    for (int64_t part; (part = state->next++) < n_parts;) {
      work(rows * part / n_parts, rows * (part + 1) / n_parts);
      ++state->done;
    }
  };
  for (int64_t i = 1; i < n_parts; ++i) pool.Schedule([take] { take(); });
  take();
  while (state->done < n_parts) std::this_thread::yield();
}

using F32 = ffi::Buffer<ffi::F32>;
using Places = ffi::Buffer<ffi::S32>;
using Mask = ffi::Buffer<ffi::PRED>;
using Made = ffi::ResultBuffer<ffi::F32>;
using MadePlaces = ffi::ResultBuffer<ffi::S32>;

const float* values(const F32& buffer) { return buffer.typed_data(); }
float* values(Made& buffer) { return buffer->typed_data(); }

// Buffers without values stand for what a call leaves out.
const float* if_any(const F32& buffer) {
  return buffer.element_count() ? values(buffer) : nullptr;
}
const uint8_t* if_any(const Mask& buffer) {
  return buffer.element_count() ? reinterpret_cast<const uint8_t*>(buffer.typed_data())
                                : nullptr;
}

const int32_t* if_any(const Places& buffer) {
  return buffer.element_count() ? buffer.typed_data() : nullptr;
}

// What a way there reads, with memory for every step.
Inputs inputs_of(Made& h, const F32& gates, const Places& place, const Mask& mask,
                 const F32& drop) {
  const auto n = h->dimensions();
  return {n[0],          n[1],          n[2], n[0], n[0],         values(gates),
          if_any(place), n[1], 1,       if_any(mask), if_any(drop)};
}

template <class Arrays>
ffi::Error run(ffi::ThreadPool& pool, Loop<Arrays> loop, const Arrays& arrays,
               const Buffer& packed) {
  share_rows(pool, arrays.rows, [&](int64_t first, int64_t last) {
    loop(arrays, packed.data(), first, last);
  });
  return ffi::Error::Success();
}

// The transposed kernel, for gradients that go back through the product.
Buffer transposed(const F32& kernel, int64_t units, int64_t n_gates) {
  const int64_t width = n_gates * units;
  return chosen.load()->pack_columns(values(kernel), width, units, 1, width);
}

ffi::Error lstm_forward(ffi::ThreadPool pool, F32 gates, Places place, Mask mask, F32 drop,
                        F32 kernel, F32 h0, F32 c0, Made t, Made h, Made c) {
  const LstmForward p{inputs_of(h, gates, place, mask, drop), values(h0), values(c0),
                      values(t), values(h), values(c)};
  const Instructions& use = *chosen.load();
  return run(pool, use.lstm_forward, p, use.pack_by_unit(values(kernel), p.units, 4));
}

ffi::Error lstm_backward(ffi::ThreadPool pool, F32 t, Mask mask, F32 drop, F32 c,
                         F32 kernel, F32 c0, F32 dh_steps, F32 dc_last, Made d_gates,
                         Made dh, Made dc) {
  const auto n = c.dimensions();
  const LstmBackward p{n[0],      n[1],       n[2],             if_any(mask),
                       if_any(drop), values(t), values(c),      values(c0),
                       values(dh_steps), values(dc_last), values(d_gates), values(dh),
                       values(dc)};
  return run(pool, chosen.load()->lstm_backward, p, transposed(kernel, p.units, 4));
}

ffi::Error gru_forward(ffi::ThreadPool pool, F32 gates, Places place, Mask mask, F32 drop,
                       F32 kernel, F32 bias, F32 h0, Made z, Made reset, Made made,
                       Made inner, Made h) {
  const GruForward p{inputs_of(h, gates, place, mask, drop), values(bias), values(h0),
                     values(z), values(reset), values(made), values(inner), values(h)};
  const Instructions& use = *chosen.load();
  return run(pool, use.gru_forward, p, use.pack_by_unit(values(kernel), p.units, 3));
}

ffi::Error gru_backward(ffi::ThreadPool pool, F32 z, Mask mask, F32 drop, F32 reset,
                        F32 made, F32 inner, F32 h, F32 kernel, F32 h0, F32 dh_steps,
                        Made d_inner, Made d_made, Made dh) {
  const auto n = h.dimensions();
  const GruBackward p{n[0],          n[1],         n[2],
                      if_any(mask),  if_any(drop), values(z),
                      values(reset), values(made), values(inner),
                      values(h),     values(h0),   values(dh_steps),
                      values(d_inner), values(d_made), values(dh)};
  return run(pool, chosen.load()->gru_backward, p, transposed(kernel, p.units, 3));
}

ffi::Error rnn_forward(ffi::ThreadPool pool, F32 gates, Places place, Mask mask, F32 drop,
                       F32 kernel, F32 h0, Made h) {
  const RnnForward p{inputs_of(h, gates, place, mask, drop), values(h0), values(h)};
  const Instructions& use = *chosen.load();
  const int64_t units = p.units;
  return run(pool, use.rnn_forward, p,
             use.pack_columns(values(kernel), units, units, units, 1));
}

ffi::Error rnn_backward(ffi::ThreadPool pool, F32 dh_steps, Mask mask, F32 drop, F32 h,
                        F32 kernel, Made d_gates, Made dh) {
  const auto n = h.dimensions();
  const RnnBackward p{n[0],      n[1],         n[2],         if_any(mask), if_any(drop),
                      values(h), values(dh_steps), values(d_gates), values(dh)};
  return run(pool, chosen.load()->rnn_backward, p, transposed(kernel, p.units, 1));
}

ffi::Error slstm_forward(ffi::ThreadPool pool, F32 gates, Places place, Mask mask,
                         F32 drop, F32 kernel, F32 h0, F32 c0, F32 n0, Made kept, Made h,
                         Made c, Made n_last) {
  const SlstmForward p{inputs_of(h, gates, place, mask, drop), values(h0), values(c0),
                       values(n0), values(kept), values(h), values(c), values(n_last)};
  const Instructions& use = *chosen.load();
  return run(pool, use.slstm_forward, p, use.pack_by_unit(values(kernel), p.units, 4));
}

ffi::Error slstm_backward(ffi::ThreadPool pool, F32 kept, Mask mask, F32 drop, F32 c,
                          F32 kernel, F32 c0, F32 dh_steps, F32 dc_last, F32 dn_last,
                          Made d_gates, Made dh, Made dc, Made dn) {
  const auto n = c.dimensions();
  const SlstmBackward p{n[0],         n[1],         n[2],      if_any(mask),
                        if_any(drop), values(kept), values(c), values(c0),
                        values(dh_steps), values(dc_last), values(dn_last),
                        values(d_gates), values(dh), values(dc), values(dn)};
  return run(pool, chosen.load()->slstm_backward, p, transposed(kernel, p.units, 4));
}

// Numbers the distinct words among tokens in the order in which they come.
ffi::Error distinct(ffi::ThreadPool, Places tokens, MadePlaces words, MadePlaces place,
                    MadePlaces n_words) {
  const int64_t n = tokens.element_count();
  const int32_t* token = tokens.typed_data();
  int32_t *word = words->typed_data(), *to = place->typed_data(), count = 0;
  std::fill_n(word, words->element_count(), 0);
  std::vector<int32_t> number(n ? *std::max_element(token, token + n) + 1 : 0, -1);
  for (int64_t i = 0; i < n; ++i) {
    int32_t& known = number[token[i]];
    if (known < 0) word[known = count++] = token[i];
    to[i] = known;
  }
  *n_words->typed_data() = count;
  return ffi::Error::Success();
}

// Sums the rows of each place; rows of places beyond the highest one stay unwritten. The
// rows of a place are summed in their order, by one thread.
ffi::Error sum_rows(ffi::ThreadPool pool, F32 rows, Places place, Made sums) {
  const int64_t n_rows = place.element_count(), width = sums->dimensions().back();
  const int32_t* places = place.typed_data();
  const int64_t n_places = n_rows ? *std::max_element(places, places + n_rows) + 1 : 0;
  std::vector<int32_t> starts(n_places + 2), order(n_rows);
  for (int64_t i = 0; i < n_rows; ++i) ++starts[places[i] + 2];
  for (int64_t i = 2; i < n_places + 2; ++i) starts[i] += starts[i - 1];
  for (int64_t i = 0; i < n_rows; ++i) order[starts[places[i] + 1]++] = i;
  const Sums p{width, values(rows), order.data(), starts.data(), values(sums)};
  const auto place_at = [&](int64_t row) {
    const auto end = starts.begin() + n_places + 1;
    return std::lower_bound(starts.begin(), end, row) - starts.begin();
  };
  share_rows(pool, n_rows, [&](int64_t first, int64_t last) {
    chosen.load()->sum_rows(p, place_at(first), place_at(last));
  });
  return ffi::Error::Success();
}

// Sequences to be read without XLA, row by row; those of texts begin together.
struct Sequences {
  int64_t cell, rows, steps, depth, units, backward, result;
  const float* values;     // rows, steps, depth; or words, n_gates * units
  const int32_t* place;    // rows, steps: the words; or none
  const int64_t* lengths;  // rows; or none
  const float *input_kernel, *input_bias, *kernel, *bias, *initial;
  float* states;  // rows, steps if the result is of all, units
};

enum Result { kLast, kAll, kMax, kMean };
constexpr int kGates[] = {4, 3, 1, 4};  // of lstm, gru, rnn, slstm

// Reads some rows after others, as many as stay in the cache of a core.
struct Block {
  const Instructions& use;
  const Sequences& all;
  const Buffer &packed_input, &packed;
  int64_t units = all.units, first = 0, rows = 0;
  Inputs inputs{};
  Buffer gates, h;
  std::vector<uint8_t> mask;

  int64_t size() const { return rows * units; }
  Buffer filled(int state) const { return Buffer(size(), all.initial[state]); }
  int64_t time(int64_t step) const { return all.backward ? all.steps - 1 - step : step; }
  bool lasts(int64_t step, int64_t row) const {
    return !all.lengths || time(step) < all.lengths[first + row];
  }

  void prepare() {
    const int64_t width = kGates[all.cell] * units, start = first * all.steps;
    const int64_t begin = time(0), direction = all.backward ? -1 : 1;
    inputs = {all.steps, rows, units, all.result == kLast ? 2 : all.steps, 2};
    inputs.step_stride = direction;
    inputs.row_stride = all.steps;
    if (all.place) {
      inputs.gates = all.values;
      inputs.place = all.place + start + begin;
    } else {
      gates.resize(rows * all.steps * width);
      const Product p{all.depth, width, all.values + start * all.depth, all.input_bias,
                      gates.data()};
      use.project(p, packed_input.data(), rows * all.steps);
      inputs.gates = gates.data() + begin * width;
    }
    h.resize(inputs.h_slots * size());
    if (!all.lengths) return;
    mask.clear();
    for (int64_t step = 0; step < all.steps; ++step)
      for (int64_t row = 0; row < rows; ++row) mask.push_back(lasts(step, row));
    inputs.mask = mask.data();
  }

  void read() {
    Buffer h0 = filled(0), kept(2 * 4 * size()), c(2 * size());
    const float* w = packed.data();
    float *k = kept.data(), *to = h.data();
    const int64_t n = 2 * size();
    if (all.cell == 0) {
      Buffer c0 = filled(1);
      use.lstm_forward({inputs, h0.data(), c0.data(), k, to, c.data()}, w, 0, rows);
    } else if (all.cell == 1) {
      use.gru_forward({inputs, all.bias, h0.data(), k, k + n, k + 2 * n, k + 3 * n, to}, w,
                      0, rows);
    } else if (all.cell == 2) {
      use.rnn_forward({inputs, h0.data(), to}, w, 0, rows);
    } else {
      Buffer c0 = filled(1), n0 = filled(2), norm(size());
      use.slstm_forward(
          {inputs, h0.data(), c0.data(), n0.data(), k, to, c.data(), norm.data()}, w, 0,
          rows);
    }
  }

  void write() const {
    if (all.result == kAll) return write_all();
    if (all.result != kLast) return write_pooled();
    const float* last = h.data() + (all.steps - 1) % 2 * size();
    std::copy_n(last, size(), all.states + first * units);
  }

  // Over the steps of each row; zeros for a row without steps.
  void write_pooled() const {
    for (int64_t row = 0; row < rows; ++row) {
      float* to = all.states + (first + row) * units;
      int64_t n = 0;
      std::fill_n(to, units, 0.0f);
      for (int64_t step = 0; step < all.steps; ++step) {
        if (!lasts(step, row)) continue;
        const float* from = h.data() + step * size() + row * units;
        if (!n++) std::copy_n(from, units, to);
        else if (all.result == kMean)
          for (int64_t i = 0; i < units; ++i) to[i] += from[i];
        else
          for (int64_t i = 0; i < units; ++i) to[i] = std::max(to[i], from[i]);
      }
      if (all.result == kMean && n)
        for (int64_t i = 0; i < units; ++i) to[i] /= n;
    }
  }

  // States of steps after the end of a row are zero.
  void write_all() const {
    for (int64_t step = 0; step < all.steps; ++step)
      for (int64_t row = 0; row < rows; ++row) {
        const float* from = h.data() + step * size() + row * units;
        float* to = all.states + ((first + row) * all.steps + time(step)) * units;
        if (lasts(step, row)) std::copy_n(from, units, to);
        else std::fill_n(to, units, 0.0f);
      }
  }
};

void read_all(const Sequences& all) {
  const Instructions& use = *chosen.load();
  const int64_t n_gates = kGates[all.cell], width = n_gates * all.units;
  const Buffer packed = all.cell == 2
                            ? use.pack_columns(all.kernel, all.units, width, width, 1)
                            : use.pack_by_unit(all.kernel, all.units, n_gates);
  Buffer packed_input;
  if (!all.place)
    packed_input = use.pack_columns(all.input_kernel, all.depth, width, width, 1);
  constexpr int64_t kRows = 48;
  Block block{use, all, packed_input, packed};
  for (; block.first < all.rows; block.first += kRows) {
    block.rows = std::min(kRows, all.rows - block.first);
    block.prepare();
    block.read();
    block.write();
  }
}

// Tells XLA what to pass to a function: its thread pool, then inputs and outputs.
template <class Argument, class... Others, class Binding>
auto bind_all(Binding&& binding) {
  if constexpr (sizeof...(Others) == 0 && std::is_same_v<Argument, Made>)
    return std::move(binding).template Ret<F32>();
  else if constexpr (sizeof...(Others) == 0 && std::is_same_v<Argument, MadePlaces>)
    return std::move(binding).template Ret<ffi::Buffer<ffi::S32>>();
  else if constexpr (std::is_same_v<Argument, Made>)
    return bind_all<Others...>(std::move(binding).template Ret<F32>());
  else if constexpr (std::is_same_v<Argument, MadePlaces>)
    return bind_all<Others...>(std::move(binding).template Ret<ffi::Buffer<ffi::S32>>());
  else
    return bind_all<Others...>(std::move(binding).template Arg<Argument>());
}

template <class... Arguments>
auto binding(ffi::Error (*)(ffi::ThreadPool, Arguments...)) {
  return bind_all<Arguments...>(ffi::Ffi::Bind().Ctx<ffi::ThreadPool>());
}

}  // namespace

#pragma GCC visibility push(default)

// Whether this processor has an instruction set, which is used from now on if it has.
extern "C" int sklstm_use(const char* name) {
  const Instructions* found = find(name);
  if (found) chosen = found;
  return found != nullptr;
}

// The version of XLA's interface that the library was built for.
extern "C" int sklstm_major() { return XLA_FFI_API_MAJOR; }
extern "C" int sklstm_minor() { return XLA_FFI_API_MINOR; }

// Reads at least one step of sequences in the calling thread, without XLA.
extern "C" void sklstm_read(const Sequences* all) { read_all(*all); }

// Writes values @ kernel + bias, rows by width, in the calling thread.
extern "C" void sklstm_project(int64_t rows, int64_t depth, int64_t width,
                               const float* values, const float* kernel, const float* bias,
                               float* sums) {
  const Instructions& use = *chosen.load();
  const Buffer packed = use.pack_columns(kernel, depth, width, width, 1);
  use.project({depth, width, values, bias, sums}, packed.data(), rows);
}

#define HANDLER(NAME) \
  XLA_FFI_DEFINE_HANDLER_SYMBOL(sklstm_##NAME, NAME, binding(NAME))

HANDLER(lstm_forward);
HANDLER(lstm_backward);
HANDLER(gru_forward);
HANDLER(gru_backward);
HANDLER(rnn_forward);
HANDLER(rnn_backward);
HANDLER(slstm_forward);
HANDLER(slstm_backward);
HANDLER(distinct);
HANDLER(sum_rows);

#pragma GCC visibility pop
