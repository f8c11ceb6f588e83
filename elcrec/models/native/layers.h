// Operations on rows of WIDTH floats: LayerNorm, dropout and what joins them to the residual.
#pragma once

#include <cmath>

#include "dropout.h"
#include "vector.h"

constexpr long WIDTH = ELCREC_WIDTH;  // d, fixed at compile time: loops over a row unroll
static_assert(WIDTH % LANES == 0);
constexpr int VECS = WIDTH / LANES;
constexpr long MASK_WORDS = words(WIDTH);

struct Row {
    Vec at[VECS];
};

inline Row load_row(const float* p) {
    Row row;
    for (int i = 0; i < VECS; ++i) row.at[i] = load(p + i * LANES);
    return row;
}

inline void store_row(float* p, const Row& row) {
    for (int i = 0; i < VECS; ++i) store(p + i * LANES, row.at[i]);
}

inline void add(Row& total, const Row& x) {
    for (int i = 0; i < VECS; ++i) total.at[i] += x.at[i];
}

inline void add_to_row(float* p, Row x) {
    add(x, load_row(p));
    store_row(p, x);
}

// x * mask / keep probability.
inline Row dropped(const Row& x, const uint64_t* mask, float scale) {
    Row result;
    for (int i = 0; i < VECS; ++i)
        result.at[i] = kept_lanes(mask, i * LANES) ? x.at[i] * scale : Vec{};
    return result;
}

// Draws the mask of one row.
inline void draw_row(uint64_t* mask, const Dropout& dropout, uint64_t site, long row) {
    for (long i = 0; i < MASK_WORDS; ++i) mask[i] = dropout.bits(site, row * MASK_WORDS + i);
}

// Shift and scale to mean 0 and variance 1; returns 1 / standard deviation.
inline float normalise(Row& x) {
    constexpr float epsilon = 1e-12f;  // LAYER_NORM_EPSILON in encoder.py
    Vec total = {}, squares = {};
    for (const Vec& v : x.at) total += v;
    const float mean = sum(total) / WIDTH;
    for (Vec& v : x.at) {
        v -= mean;
        squares += v * v;
    }
    const float inverse = 1.0f / std::sqrt(sum(squares) / WIDTH + epsilon);
    for (Vec& v : x.at) v *= inverse;
    return inverse;
}

// LayerNorm's learned part, its parameters in registers, and their gradients.
struct Affine {
    Row gain, shift;

    Row operator()(const Row& normal) const {
        Row result;
        for (int i = 0; i < VECS; ++i)
            result.at[i] = normal.at[i] * gain.at[i] + shift.at[i];
        return result;
    }

    // From the gradient g of the result to that of the row before `normalise`; adds to `grads`.
    Row backward(const Row& g, const Row& normal, float inverse, Affine& grads) const {
        Row scaled;
        Vec total = {}, along = {};
        for (int i = 0; i < VECS; ++i) {
            grads.gain.at[i] += g.at[i] * normal.at[i];
            grads.shift.at[i] += g.at[i];
            scaled.at[i] = g.at[i] * gain.at[i];
            total += scaled.at[i];
            along += scaled.at[i] * normal.at[i];
        }
        const float mean = sum(total) / WIDTH, slope = sum(along) / WIDTH;
        for (int i = 0; i < VECS; ++i)
            scaled.at[i] = (scaled.at[i] - mean - normal.at[i] * slope) * inverse;
        return scaled;
    }
};

inline Affine load_affine(const float* gain, const float* shift) {
    return {load_row(gain), load_row(shift)};
}

// A sub-layer's end: LayerNorm(dropout(y + bias) + residual) for rows of a chunk.
struct Ending {
    const float *bias, *gain, *shift;
    Dropout dropout;
    uint64_t site;

    // first: number of the first row in the whole batch, which its mask depends on. Leaves the
    // masks, the normalised rows and their `inverse` for the backward pass. out may be y.
    void forward(const float* y, const float* residual, long rows, long first, uint64_t* mask,
                 float* normal, float* inverse, float* out) const {
        const Affine affine = load_affine(gain, shift);
        const Row offset = load_row(bias);
        const float scale = dropout.scale();
        for (long r = 0; r < rows; ++r) {
            draw_row(mask + r * MASK_WORDS, dropout, site, first + r);
            Row x = load_row(y + r * WIDTH);
            add(x, offset);
            x = dropped(x, mask + r * MASK_WORDS, scale);
            add(x, load_row(residual + r * WIDTH));
            inverse[r] = normalise(x);
            store_row(normal + r * WIDTH, x);
            store_row(out + r * WIDTH, affine(x));
        }
    }

    // g: gradient of the result, becomes that of the residual; y_grad: that of y.
    void backward(float* g, float* y_grad, long rows, const uint64_t* mask, const float* normal,
                  const float* inverse, float* bias_grad, float* gain_grad,
                  float* shift_grad) const {
        const Affine affine = load_affine(gain, shift);
        const float scale = dropout.scale();
        Affine grads = {};
        Row total = {};
        for (long r = 0; r < rows; ++r) {
            const Row x = affine.backward(load_row(g + r * WIDTH), load_row(normal + r * WIDTH),
                                          inverse[r], grads);
            store_row(g + r * WIDTH, x);
            const Row before = dropped(x, mask + r * MASK_WORDS, scale);
            add(total, before);
            store_row(y_grad + r * WIDTH, before);
        }
        add_to_row(bias_grad, total);
        add_to_row(gain_grad, grads.gain);
        add_to_row(shift_grad, grads.shift);
    }
};

// out[c] += sum over the rows of x[:, c].
inline void add_column_sums(float* out, const float* x, long rows, long width) {
    for (long c = 0; c < width; c += WIDTH) {
        Row total = load_row(out + c);
        for (long r = 0; r < rows; ++r) add(total, load_row(x + r * width + c));
        store_row(out + c, total);
    }
}
