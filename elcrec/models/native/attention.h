// Softmax attention of one head in one window, forward and backward.
//
// The probabilities are kept for the backward pass in rows of `stride` floats (the length rounded
// up to 16 lanes); the sign bit of each says whether dropout removed it.
#pragma once

#include <algorithm>

#include "dropout.h"
#include "product.h"
#include "vector.h"

constexpr float MASKED = -10000.0f;  // added to the score of a hidden key, as in encoder.py

struct Head {
    long length, width, stride;
    long step;  // floats from one position's query (key, value) to the next one's
    bool causal;
    Dropout dropout;
    uint64_t site;

    // out (width, stride) = the transpose of x (length, width); columns past the end are 0.
    void transpose(float* out, const float* x, long x_step) const {
        for (long c = 0; c < width; c += LANES)
            for (long t = 0; t < stride; t += LANES) {
                Vec rows[LANES];
#pragma GCC unroll 16
                for (long i = 0; i < LANES; ++i) {
                    const float* row = x + (t + i) * x_step + c;
                    rows[i] = t + i < length ? load_some(row, width - c) : Vec{};
                }
                ::transpose(rows);
#pragma GCC unroll 16
                for (long i = 0; i < LANES; ++i)
                    if (i < width - c) store(out + (c + i) * stride + t, rows[i]);
            }
    }

    // context (length, width, rows of `context_step`) = dropout(softmax(q k' + mask)) v.
    //   bias: (stride) what the mask adds to each key; -inf past the end.
    //   number: of this head of this window, over the whole batch.
    //   flipped, dropped: scratch of (width, stride) and (length, stride).
    void forward(const float* q, const float* k, const float* v, const float* bias, long number,
                 float* probability, float* context, long context_step, float* flipped,
                 float* dropped) const {
        transpose(flipped, k, step);
        small_product(probability, stride, plain(q, step), flipped, stride, length, stride, width);
        const long n = words(length);
        uint64_t mask[MAX_WORDS];
        for (long t = 0; t < length; ++t) {
            const long row = number * length + t;
            for (long i = 0; i < n; ++i) mask[i] = dropout.bits(site, row * n + i);
            softmax(probability + t * stride, bias, causal ? t : length, mask,
                    dropped + t * stride);
        }
        small_product(context, context_step, plain(dropped, stride), v, step, length, width,
                      length);
    }

    // Gradients of q, k and v (each with rows of `step`) from that of the context.
    //   grads: scratch of (length, stride).
    void backward(const float* q, const float* k, const float* v, const float* probability,
                  const float* context_grad, long context_step, float* q_grad, float* k_grad,
                  float* v_grad, float* flipped, float* dropped, float* grads) const {
        transpose(flipped, v, step);
        small_product(grads, stride, plain(context_grad, context_step), flipped, stride, length,
                      stride, width);
        for (long t = 0; t < length; ++t)
            softmax_backward(probability + t * stride, grads + t * stride, dropped + t * stride);
        small_product(v_grad, step, transposed(dropped, stride), context_grad, context_step, length,
                      width, length);
        small_product(q_grad, step, plain(grads, stride), k, step, length, width, length);
        small_product(k_grad, step, transposed(grads, stride), q, step, length, width, length);
    }

    static constexpr long MAX_WORDS = 64;  // lengths up to 4,096

  private:
    static constexpr int32_t SIGN = INT32_MIN;

    // One query: scores to probabilities with the sign of the dropout, and `dropped` to what
    // weighs the values. Keys after `last` get the mask too.
    void softmax(float* scores, const float* bias, long last, const uint64_t* mask,
                 float* dropped) const {
        Vec top = broadcast(-__builtin_inff()), total = {};
        for (long c = 0; c < stride; c += LANES) {
            const Ints after = lane_numbers() > static_cast<int32_t>(last - c);
            const Vec padding = load(bias + c);
            const Vec extra = after ? (padding < MASKED ? padding : broadcast(MASKED)) : padding;
            const Vec x = load(scores + c) + extra;
            top = larger(x, top);
            store(scores + c, x);
        }
        const float most = largest(top);
        for (long c = 0; c < stride; c += LANES) {
            const Vec e = exp_nonpositive(load(scores + c) - most);
            total += e;
            store(scores + c, e);
        }
        const float inverse = 1.0f / sum(total), scale = dropout.scale();
        for (long c = 0; c < stride; c += LANES) {
            const Vec p = load(scores + c) * inverse;
            const Ints kept = kept_lanes(mask, c);
            store(dropped + c, kept ? p * scale : Vec{});
            store(scores + c, (Vec)(((Ints)p & ~SIGN) | (~kept & SIGN)));
        }
    }

    // grads: gradient of the dropped probabilities, becomes that of the scores.
    void softmax_backward(const float* probability, float* grads, float* dropped) const {
        const float scale = dropout.scale();
        Vec along = {};
        for (long c = 0; c < stride; c += LANES) {
            const Vec p = load(probability + c);
            const Ints kept = (Ints)p >= 0;
            const Vec g = kept ? load(grads + c) * scale : Vec{};
            const Vec size = (Vec)((Ints)p & ~SIGN);
            store(dropped + c, kept ? p * scale : Vec{});
            store(grads + c, g);
            along += g * size;
        }
        const float mean = sum(along);
        for (long c = 0; c < stride; c += LANES) {
            const Vec size = (Vec)((Ints)load(probability + c) & ~SIGN);
            store(grads + c, size * (load(grads + c) - mean));
        }
    }
};
