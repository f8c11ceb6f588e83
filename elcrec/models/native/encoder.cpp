// The shared Transformer encoder of elcrec/encoder.py, forward and backward, on the CPU.
//
// Windows are independent until the loss, so each thread takes a few whole windows through all
// blocks at once; what lies between the operations stays in its cache, and the backward pass
// computes the largest of it anew. The windows are cut into parts with gradients of their
// own, added in order at the end: results depend neither on the number of threads nor on which of
// them did what.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "block.h"
#include "layers.h"
#include "memory.h"
#include "vector.h"

constexpr long PARTS = 32;               // at most
constexpr long POSITIONS_AT_ONCE = 400;  // about 1.5 MB of intermediate values at d = 64
constexpr long BEFORE_BLOCKS = 4;        // parameters: items, positions, gain, shift
constexpr long PER_BLOCK = sizeof(BlockParameters<float>) / sizeof(float*);
constexpr long BLOCK_FLOATS = 12 * WIDTH * WIDTH + 13 * WIDTH;

// One pass over a batch; function.py has the same structure.
struct Pass {
    int64_t batch, length, heads, blocks, causal, items, threads;
    int64_t hidden_kept, attention_kept;  // of 65,536
    uint64_t seed;
    const int64_t* sequences;        // (batch, length), 0 is padding
    const float* const* parameters;  // BEFORE_BLOCKS + PER_BLOCK each; positions cut to length
    float* saved;                    // for the backward pass: elcrec_saved_floats
};

namespace {

class Encoder {
  public:
    explicit Encoder(const Pass& pass)
        : p(pass),
          stride((pass.length + LANES - 1) / LANES * LANES),
          hidden{pass.seed, static_cast<uint32_t>(pass.hidden_kept)},
          attention{pass.seed, static_cast<uint32_t>(pass.attention_kept)} {
        Cutter cut(pass.saved);
        const long n = p.batch * p.length;
        embedding_mask = cut.take<uint64_t>(n * MASK_WORDS);
        for (long i = 0; i < p.blocks; ++i)
            saved.push_back({cut.take(n * WIDTH), cut.take(n * p.heads * stride),
                             cut.take(n * WIDTH), cut.take(n * WIDTH), cut.take(n * WIDTH),
                             cut.take(n), cut.take(n), cut.take<uint64_t>(n * MASK_WORDS),
                             cut.take<uint64_t>(n * MASK_WORDS)});
        saved_floats = cut.floats();
    }

    long saved_floats;

    // Parameters other than the item table, positions cut to the length.
    long gradient_floats() const { return (p.length + 2) * WIDTH + p.blocks * BLOCK_FLOATS; }

    // Two rounds of windows or more in each part: its gradients must be cleared and added.
    long parts() const {
        const long worth = p.batch * p.length / (2 * POSITIONS_AT_ONCE);
        return std::clamp(worth, 1L, std::min<long>(PARTS, p.batch));
    }

    // out: (batch, length, d).
    void forward(float* out) const {
        for_each_part([&](long begin, long end, long) {
            const Scratch scratch = thread_scratch();
            for (long w = begin; w < end; w += windows_at_once()) {
                const long count = std::min(windows_at_once(), end - w);
                embed(w, count, scratch.key_bias);
                for (long i = 0; i < p.blocks; ++i) {
                    const bool last = i + 1 == p.blocks;
                    float* next = last ? out + w * p.length * WIDTH : saved_from(i + 1, w).input;
                    block(i).forward(saved_from(i, w), scratch, count, w, next);
                }
            }
        });
    }

    // grads: (gradient_floats), one parameter after the other; item_grads: (items, d);
    // part_grads: scratch of (parts, gradient_floats). Overwrites what forward saved.
    void backward(const float* out_grad, float* part_grads, float* grads, float* item_grads) const {
        const long size = gradient_floats();
        for_each_part([&](long begin, long end, long part) {
            const Scratch scratch = thread_scratch();
            float* own = part_grads + part * size;
            std::fill(own, own + size, 0.0f);
            for (long w = begin; w < end; w += windows_at_once()) {
                const long count = std::min(windows_at_once(), end - w);
                const float* incoming = out_grad + w * p.length * WIDTH;
                std::copy(incoming, incoming + count * p.length * WIDTH, scratch.grads);
                for (long i = p.blocks - 1; i >= 0; --i)
                    block(i).backward(saved_from(i, w), scratch, count, block_grads(own, i));
                embed_backward(w, count, scratch.grads, own);
            }
        });
        add_parts(part_grads, grads);
        add_items(item_grads);
    }

  private:
    const Pass& p;
    long stride;
    Dropout hidden, attention;
    uint64_t* embedding_mask;
    std::vector<Saved> saved;

    long windows_at_once() const { return std::max(1L, POSITIONS_AT_ONCE / p.length); }
    // Where embed leaves its output, and embed_backward the gradients of item plus position.
    float* embedded() const { return saved[0].input; }

    template <class Work>
    void for_each_part(const Work& work) const {
#pragma omp parallel for schedule(dynamic, 1) num_threads(static_cast<int>(p.threads))
        for (long i = 0; i < parts(); ++i)
            work(p.batch * i / parts(), p.batch * (i + 1) / parts(), i);
    }

    Scratch thread_scratch() const {
        const long windows = windows_at_once(), n = windows * p.length;
        return in_thread_memory([&](Cutter& cut) {
            return Scratch{cut.take(windows * stride),  cut.take(n * WIDTH),
                           cut.take(n * WIDTH),         cut.take(n * WIDTH),
                           cut.take(n * 3 * WIDTH),     cut.take(n * 3 * WIDTH),
                           cut.take(n * 4 * WIDTH),     cut.take(n * 4 * WIDTH),
                           cut.take(WIDTH * stride),    cut.take(p.length * stride),
                           cut.take(p.length * stride)};
        });
    }

    Saved saved_from(long i, long window) const {
        const Saved& s = saved[static_cast<size_t>(i)];
        const long n = window * p.length, mask = n * MASK_WORDS;
        return {s.input + n * WIDTH,   s.probability + n * p.heads * stride,
                s.context + n * WIDTH, s.normal1 + n * WIDTH,
                s.normal2 + n * WIDTH, s.inverse1 + n,
                s.inverse2 + n,        s.mask1 + mask,
                s.mask2 + mask};
    }

    Block block(long i) const {
        BlockParameters<const float> own;
        std::memcpy(&own, p.parameters + BEFORE_BLOCKS + i * PER_BLOCK, sizeof own);
        const uint64_t site = static_cast<uint64_t>(1 + 3 * i);  // site 0: the embedding
        return {p.length, p.heads, stride, p.causal != 0, hidden, attention, site, own};
    }

    BlockParameters<float> block_grads(float* grads, long i) const {
        constexpr long d = WIDTH;
        float* at = grads + (p.length + 2) * d + i * BLOCK_FLOATS;
        auto take = [&](long count) { return (at += count) - count; };
        return {take(3 * d * d), take(3 * d), take(d * d),     take(d), take(d), take(d),
                take(4 * d * d), take(4 * d), take(4 * d * d), take(d), take(d), take(d)};
    }

    // Item plus position, normalised.
    Row embed_row(long row, float& inverse) const {
        Row x = load_row(p.parameters[0] + p.sequences[row] * WIDTH);
        add(x, load_row(p.parameters[1] + row % p.length * WIDTH));
        inverse = normalise(x);
        return x;
    }

    void embed(long first, long windows, float* key_bias) const {
        const Affine affine = load_affine(p.parameters[2], p.parameters[3]);
        const float scale = hidden.scale();
        float inverse;
        for (long row = first * p.length; row < (first + windows) * p.length; ++row) {
            uint64_t* mask = embedding_mask + row * MASK_WORDS;
            draw_row(mask, hidden, 0, row);
            const Row x = dropped(affine(embed_row(row, inverse)), mask, scale);
            store_row(embedded() + row * WIDTH, x);
        }
        for (long w = 0; w < windows; ++w)
            for (long t = 0; t < stride; ++t) {
                const bool real = t < p.length && p.sequences[(first + w) * p.length + t] != 0;
                key_bias[w * stride + t] = real           ? 0.0f
                                           : t < p.length ? MASKED
                                                          : -__builtin_inff();
            }
    }

    void embed_backward(long first, long windows, const float* g, float* grads) const {
        const Affine affine = load_affine(p.parameters[2], p.parameters[3]);
        const float scale = hidden.scale();
        Affine affine_grads = {};
        float inverse;
        for (long row = first * p.length; row < (first + windows) * p.length; ++row, g += WIDTH) {
            const Row normal = embed_row(row, inverse);
            const Row x = dropped(load_row(g), embedding_mask + row * MASK_WORDS, scale);
            const Row sum_grad = affine.backward(x, normal, inverse, affine_grads);
            add_to_row(grads + row % p.length * WIDTH, sum_grad);
            store_row(embedded() + row * WIDTH, sum_grad);
        }
        add_to_row(grads + p.length * WIDTH, affine_grads.gain);
        add_to_row(grads + (p.length + 1) * WIDTH, affine_grads.shift);
    }

    void add_parts(const float* part_grads, float* grads) const {
        const long size = gradient_floats();
#pragma omp parallel for num_threads(static_cast<int>(p.threads))
        for (long i = 0; i < size; ++i) {
            float total = 0.0f;
            for (long part = 0; part < parts(); ++part) total += part_grads[part * size + i];
            grads[i] = total;
        }
    }

    // Gradient of the item table; its padding row gets none. Threads share out the columns.
    void add_items(float* item_grads) const {
#pragma omp parallel for num_threads(static_cast<int>(p.threads))
        for (long c = 0; c < WIDTH; c += LANES) {
            for (long item = 0; item < p.items; ++item) store(item_grads + item * WIDTH + c, Vec{});
            for (long row = 0; row < p.batch * p.length; ++row)
                if (const int64_t item = p.sequences[row]) {
                    float* at = item_grads + item * WIDTH + c;
                    store(at, load(at) + load(embedded() + row * WIDTH + c));
                }
        }
    }
};

}  // namespace

extern "C" {

int64_t elcrec_saved_floats(const Pass* pass) { return Encoder(*pass).saved_floats; }
int64_t elcrec_gradient_floats(const Pass* pass) { return Encoder(*pass).gradient_floats(); }
int64_t elcrec_parts(const Pass* pass) { return Encoder(*pass).parts(); }

void elcrec_forward(const Pass* pass, float* out) { Encoder(*pass).forward(out); }

void elcrec_backward(const Pass* pass, const float* out_grad, float* part_grads, float* grads,
                     float* item_grads) {
    Encoder(*pass).backward(out_grad, part_grads, grads, item_grads);
}

}  // extern "C"
