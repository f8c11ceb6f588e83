// Sixteen floats at a time, and the two functions that take time in a Transformer: exp and the
// normal distribution. GCC's and Clang's vector extension: works on any processor and becomes one
// instruction per line with AVX-512. NaN goes through every function unchanged.
#pragma once

#include <cstdint>

constexpr int32_t LANES = 16;
typedef float Vec __attribute__((vector_size(64)));
typedef int32_t Ints __attribute__((vector_size(64)));
typedef float VecAnywhere __attribute__((vector_size(64), aligned(4), may_alias));

inline Vec load(const float* p) { return *reinterpret_cast<const VecAnywhere*>(p); }
// Only the first `count` floats, zeros after them.
inline Vec load_some(const float* p, long count) {
    if (count >= LANES) return load(p);
    Vec result = {};
    for (long i = 0; i < count; ++i) result[i] = p[i];
    return result;
}
inline void store(float* p, Vec v) { *reinterpret_cast<VecAnywhere*>(p) = v; }
inline Vec broadcast(float x) { return x - Vec{}; }
inline Ints lane_numbers() { return Ints{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}; }

// Sum of the lanes, in a fixed order.
inline float sum(Vec v) {
    for (long half = 8; half; half /= 2) {
        Vec upper = __builtin_shuffle(v, lane_numbers() + static_cast<int32_t>(half));
        v += upper;
    }
    return v[0];
}

// Transpose 16 x 16 floats: swap the off-diagonal quarters, then those within each quarter, ...
template <int32_t HALF = LANES / 2>
inline void transpose(Vec* rows) {
    const Ints right = (lane_numbers() & HALF) != 0;
    const Ints first = right ? lane_numbers() + (LANES - HALF) : lane_numbers();
    const Ints second = right ? lane_numbers() + LANES : lane_numbers() + HALF;
#pragma GCC unroll 16
    for (int32_t i = 0; i < LANES; ++i) {
        if (i & HALF) continue;
        const Vec above = rows[i], below = rows[i + HALF];
        rows[i] = __builtin_shuffle(above, below, first);
        rows[i + HALF] = __builtin_shuffle(above, below, second);
    }
    if constexpr (HALF > 1) transpose<HALF / 2>(rows);
}

inline Vec larger(Vec a, Vec b) { return a > b ? a : b; }

inline float largest(Vec v) {
    for (long half = 8; half; half /= 2)
        v = larger(v, __builtin_shuffle(v, lane_numbers() + static_cast<int32_t>(half)));
    return v[0];
}

// exp(x) for -87 <= x <= 0, relative error 2e-7.
inline Vec exp_small(Vec x) {
    constexpr float shift = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer
    Vec shifted = x * 1.44269504f + shift;
    Vec n = shifted - shift;
    Vec r = (x - n * 0.693359375f) - n * -2.12194440e-4f;  // x - n ln 2, |r| <= ln 2 / 2
    // exp(r) = 1 + r + r^2 g(r); g: our own minimax fit, degree 4.
    Vec g = broadcast(0.00138145976f);
    g = g * r + 0.00836871658f;
    g = g * r + 0.041668389f;
    g = g * r + 0.166665211f;
    g = g * r + 0.49999994f;
    Vec result = g * (r * r) + r + 1.0f;
    Ints power = (Ints)shifted << 23;  // the integer n stands in the lowest bits
    return (Vec)((Ints)result + power);
}

// exp(x) for x <= 0; exactly 0 below -87, so masked keys weigh nothing.
inline Vec exp_nonpositive(Vec x) {
    return x < -87.0f ? Vec{} : exp_small(x < -87.0f ? broadcast(-87.0f) : x);
}

// Density and distribution function of the standard normal law, to 1e-7 (as if |x| were 5.5 where
// it is larger).
struct Normal {
    Vec density, below;
};

inline Normal normal(Vec x) {
    Vec z = x < 0.0f ? -x : x;
    z = z > 5.5f ? broadcast(5.5f) : z;
    Vec bell = exp_small(z * z * -0.5f);
    // P(X > z) = exp(-z^2 / 2) q(2z / 5.5 - 1); q: our own minimax fit, weighted with the bell.
    Vec u = z * (2.0f / 5.5f) - 1.0f;
    Vec q = broadcast(-0.0214660801f);
    q = q * u + -0.0454319045f;
    q = q * u + -0.0362223387f;
    q = q * u + 0.0202172138f;
    q = q * u + 0.0169986691f;
    q = q * u + 0.0278989095f;
    q = q * u + -0.0310442187f;
    q = q * u + 0.0404445417f;
    q = q * u + -0.0617860369f;
    q = q * u + 0.0841536596f;
    q = q * u + -0.108472601f;
    q = q * u + 0.130724952f;
    Vec tail = bell * q;
    return {bell * 0.398942280f, x < 0.0f ? tail : 1.0f - tail};
}
