// Matrix products, all matrices by rows. Large ones go to the BLAS that PyTorch is linked with;
// those of one attention head are too small for it and have a kernel of their own.
#pragma once

#include "vector.h"

extern "C" void sgemm_(const char* transpose_a, const char* transpose_b, const int* m, const int* n,
                       const int* k, const float* alpha, const float* a, const int* lda,
                       const float* b, const int* ldb, const float* beta, float* c, const int* ldc);

struct Matrix {
    const float* data;
    long stride;      // floats from one row to the next
    bool transposed;  // use the transposed matrix
};

inline Matrix plain(const float* data, long stride) { return {data, stride, false}; }
inline Matrix transposed(const float* data, long stride) { return {data, stride, true}; }

// C (m, n) = A (m, k) B (k, n) + beta C. BLAS stores by columns, so it is asked for C' = B' A'.
inline void product(float* c, long stride, Matrix a, Matrix b, long m, long n, long k,
                    float beta = 0.0f) {
    const int im = static_cast<int>(m), in = static_cast<int>(n), ik = static_cast<int>(k);
    const int lda = static_cast<int>(a.stride), ldb = static_cast<int>(b.stride);
    const int ldc = static_cast<int>(stride);
    const float one = 1.0f;
    sgemm_(b.transposed ? "T" : "N", a.transposed ? "T" : "N", &in, &im, &ik, &one, b.data, &ldb,
           a.data, &lda, &beta, c, &ldc);
}

// ROWS x (16 VECS) of C, held in registers. A steps by `row` and `inner` floats.
template <int ROWS, int VECS>
inline void tile(float* c, long stride, const float* a, long row, long inner, const float* b,
                 long b_stride, long k) {
    Vec total[ROWS][VECS];
    for (int r = 0; r < ROWS; ++r)
        for (int v = 0; v < VECS; ++v) total[r][v] = Vec{};
    for (long p = 0; p < k; ++p) {
        Vec right[VECS];
        for (int v = 0; v < VECS; ++v) right[v] = load(b + p * b_stride + v * LANES);
        for (int r = 0; r < ROWS; ++r)
            for (int v = 0; v < VECS; ++v) total[r][v] += a[r * row + p * inner] * right[v];
    }
    for (int r = 0; r < ROWS; ++r)
        for (int v = 0; v < VECS; ++v) store(c + r * stride + v * LANES, total[r][v]);
}

template <int VECS>
inline void columns(float* c, long stride, const float* a, long row, long inner, const float* b,
                    long b_stride, long m, long k) {
    long i = 0;
    for (; i + 10 <= m; i += 10)
        tile<10, VECS>(c + i * stride, stride, a + i * row, row, inner, b, b_stride, k);
    for (; i + 4 <= m; i += 4)
        tile<4, VECS>(c + i * stride, stride, a + i * row, row, inner, b, b_stride, k);
    for (; i < m; ++i)
        tile<1, VECS>(c + i * stride, stride, a + i * row, row, inner, b, b_stride, k);
}

// C (m, n) = A (m, k) B (k, n) for small matrices.
inline void small_product(float* c, long stride, Matrix a, const float* b, long b_stride, long m,
                          long n, long k) {
    if (n % LANES) return product(c, stride, a, plain(b, b_stride), m, n, k);
    const long row = a.transposed ? 1 : a.stride, inner = a.transposed ? a.stride : 1;
    long j = 0;
    for (; j + 2 * LANES <= n; j += 2 * LANES)
        columns<2>(c + j, stride, a.data, row, inner, b + j, b_stride, m, k);
    if (j < n) columns<1>(c + j, stride, a.data, row, inner, b + j, b_stride, m, k);
}
