// One Transformer block on a few whole windows: forward and backward. The shapes in comments use
// n for the positions in those windows, d for WIDTH.
#pragma once

#include "attention.h"
#include "layers.h"
#include "product.h"
#include "vector.h"

// A block's parameters, in the order of encoder.py, or their gradients.
template <class Float>
struct BlockParameters {
    Float *projection, *projection_bias;  // (3d, d), (3d)
    Float *output, *output_bias;          // (d, d), (d)
    Float *gain1, *shift1;                // (d)
    Float *expand, *expand_bias;          // (4d, d), (4d)
    Float *contract, *contract_bias;      // (d, 4d), (d)
    Float *gain2, *shift2;                // (d)
};

// What the forward pass leaves for the backward pass.
struct Saved {
    float *input;                // (n, d)
    float *probability;          // (windows, heads, length, stride), see attention.h
    float *context;              // (n, d)
    float *normal1, *normal2;    // (n, d) before gain and shift
    float *inverse1, *inverse2;  // (n)
    uint64_t *mask1, *mask2;     // (n, MASK_WORDS)
};

// Room for intermediate values; they stay in the cache.
struct Scratch {
    float *key_bias;                    // (windows, stride) what the mask adds, -inf past the end
    float *grads, *narrow1, *narrow2;   // (n, d); grads: of the block's output, then its input
    float *qkv, *qkv_grads;             // (n, 3d)
    float *wide1, *wide2;               // (n, 4d)
    float *flipped, *dropped, *scores;  // one head: (d, stride), (length, stride) twice
};

struct Block {
    long length, heads, stride;
    bool causal;
    Dropout hidden, attention;
    uint64_t site;  // of the first of its three masks
    BlockParameters<const float> p;

    long inner() const { return WIDTH / heads; }

    Head head() const { return {length, inner(), stride, 3 * WIDTH, causal, attention, site}; }
    Ending end1() const { return {p.output_bias, p.gain1, p.shift1, hidden, site + 1}; }
    Ending end2() const { return {p.contract_bias, p.gain2, p.shift2, hidden, site + 2}; }

    // s.input (n, d) to out (n, d). first: number of the first window in the whole batch.
    void forward(const Saved& s, const Scratch& t, long windows, long first, float* out) const {
        const long n = windows * length;
        constexpr long d = WIDTH;
        project(s.input, t.qkv, n);
        for (long w = 0; w < windows; ++w)
            for (long h = 0; h < heads; ++h) {
                const float* q = t.qkv + w * length * 3 * d + h * inner();
                const long number = w * heads + h;
                head().forward(q, q + d, q + 2 * d, t.key_bias + w * stride, first * heads + number,
                               s.probability + number * length * stride,
                               s.context + w * length * d + h * inner(), d, t.flipped, t.dropped);
            }
        product(t.narrow1, d, plain(s.context, d), transposed(p.output, d), n, d, d);
        end1().forward(t.narrow1, s.input, n, first * length, s.mask1, s.normal1, s.inverse1,
                       t.narrow2);
        product(t.wide1, 4 * d, plain(t.narrow2, d), transposed(p.expand, d), n, 4 * d, d);
        gelu(t.wide1, t.wide1, n);
        product(t.narrow1, d, plain(t.wide1, 4 * d), transposed(p.contract, 4 * d), n, d, 4 * d);
        end2().forward(t.narrow1, t.narrow2, n, first * length, s.mask2, s.normal2, s.inverse2,
                       out);
    }

    // t.grads: gradient of the output, becomes that of the input. Adds to `grads`.
    void backward(const Saved& s, const Scratch& t, long windows,
                  const BlockParameters<float>& grads) const {
        float* g = t.grads;
        const long n = windows * length;
        constexpr long d = WIDTH;
        end2().backward(g, t.narrow1, n, s.mask2, s.normal2, s.inverse2, grads.contract_bias,
                        grads.gain2, grads.shift2);
        product(t.wide1, 4 * d, plain(t.narrow1, d), plain(p.contract, 4 * d), n, 4 * d, d);
        const Affine affine1 = load_affine(p.gain1, p.shift1);
        for (long r = 0; r < n; ++r)
            store_row(t.narrow2 + r * d, affine1(load_row(s.normal1 + r * d)));
        product(t.wide2, 4 * d, plain(t.narrow2, d), transposed(p.expand, d), n, 4 * d, d);
        gelu_backward(t.wide1, t.wide2, n);
        add_column_sums(grads.expand_bias, t.wide1, n, 4 * d);
        product<ADD>(grads.contract, 4 * d, transposed(t.narrow1, d), plain(t.wide2, 4 * d), d,
                     4 * d, n);
        product<ADD>(grads.expand, d, transposed(t.wide1, 4 * d), plain(t.narrow2, d), 4 * d, d, n);
        product<ADD>(g, d, plain(t.wide1, 4 * d), plain(p.expand, d), n, d, 4 * d);

        end1().backward(g, t.narrow1, n, s.mask1, s.normal1, s.inverse1, grads.output_bias,
                        grads.gain1, grads.shift1);
        product<ADD>(grads.output, d, transposed(t.narrow1, d), plain(s.context, d), d, d, n);
        product(t.narrow2, d, plain(t.narrow1, d), plain(p.output, d), n, d, d);
        project(s.input, t.qkv, n);
        for (long w = 0; w < windows; ++w)
            for (long h = 0; h < heads; ++h) {
                const long at = w * length * 3 * d + h * inner();
                const float* q = t.qkv + at;
                float* q_grad = t.qkv_grads + at;
                head().backward(q, q + d, q + 2 * d,
                                s.probability + (w * heads + h) * length * stride,
                                t.narrow2 + w * length * d + h * inner(), d, q_grad, q_grad + d,
                                q_grad + 2 * d, t.flipped, t.dropped, t.scores);
            }
        for (long r = 0; r < n; ++r)
            for (long c = r * 3 * d; c < r * 3 * d + d; c += LANES)
                store(t.qkv_grads + c, load(t.qkv_grads + c) * query_scale());
        add_column_sums(grads.projection_bias, t.qkv_grads, n, 3 * d);
        product<ADD>(grads.projection, d, transposed(t.qkv_grads, 3 * d), plain(s.input, d), 3 * d,
                     d, n);
        product<ADD>(g, d, plain(t.qkv_grads, 3 * d), plain(p.projection, d), n, d, 3 * d);
    }

  private:
    float query_scale() const { return 1.0f / std::sqrt(static_cast<float>(inner())); }

    // x (n, d) to queries, keys and values (n, 3d), the queries scaled.
    void project(const float* x, float* qkv, long n) const {
        constexpr long d = WIDTH;
        product(qkv, 3 * d, plain(x, d), transposed(p.projection, d), n, 3 * d, d);
        for (long r = 0; r < n; ++r)
            for (long c = 0; c < 3 * d; c += LANES) {
                float* at = qkv + r * 3 * d + c;
                const Vec biased = load(at) + load(p.projection_bias + c);
                store(at, c < d ? biased * query_scale() : biased);
            }
    }

    // out = GELU(wide + bias) = x P(X <= x).
    void gelu(const float* wide, float* out, long n) const {
        for (long r = 0; r < n; ++r)
            for (long c = 0; c < 4 * WIDTH; c += LANES) {
                const long i = r * 4 * WIDTH + c;
                const Vec x = load(wide + i) + load(p.expand_bias + c);
                store(out + i, x * normal(x).below);
            }
    }

    // wide: before the bias, becomes GELU(wide + bias); grads: from that of GELU to that of wide.
    void gelu_backward(float* grads, float* wide, long n) const {
        for (long r = 0; r < n; ++r)
            for (long c = 0; c < 4 * WIDTH; c += LANES) {
                const long i = r * 4 * WIDTH + c;
                const Vec x = load(wide + i) + load(p.expand_bias + c);
                const Normal law = normal(x);
                store(wide + i, x * law.below);
                store(grads + i, load(grads + i) * (law.below + x * law.density));
            }
    }
};
