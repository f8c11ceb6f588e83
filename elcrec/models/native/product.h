// Matrix products, all matrices by rows. A panel of 32 columns of the right factor is copied so that
// it lies in one piece, in the nearest cache; tiles of the result stay in registers. That is faster
// than a BLAS at these sizes (a few hundred rows, 64 to 256 columns), which copies both factors.
// What does not consist of whole vectors goes to the BLAS that PyTorch is linked with.
#pragma once

#include <cstddef>
#include <vector>

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

enum Result : bool { SET, ADD };  // C = A B, or C += A B

// BLAS stores by columns, so it is asked for C' = B' A'.
inline void blas_product(float* c, long stride, Matrix a, Matrix b, long m, long n, long k,
                         float beta) {
    const int im = static_cast<int>(m), in = static_cast<int>(n), ik = static_cast<int>(k);
    const int lda = static_cast<int>(a.stride), ldb = static_cast<int>(b.stride);
    const int ldc = static_cast<int>(stride);
    const float one = 1.0f;
    sgemm_(b.transposed ? "T" : "N", a.transposed ? "T" : "N", &in, &im, &ik, &one, b.data, &ldb,
           a.data, &lda, &beta, c, &ldc);
}

// ROWS x (16 VECS) of C, held in registers. A steps by `row` and `inner` floats.
template <int ROWS, int VECS, Result RESULT>
inline void tile(float* c, long stride, const float* a, long row, long inner, const float* b,
                 long b_stride, long k) {
    Vec total[ROWS][VECS];
#pragma GCC unroll 16
    for (int r = 0; r < ROWS; ++r)
#pragma GCC unroll 4
        for (int v = 0; v < VECS; ++v)
            total[r][v] = RESULT == ADD ? load(c + r * stride + v * LANES) : Vec{};
    // Every third row has a pointer of its own: few enough for the registers.
    constexpr int THIRDS = (ROWS + 2) / 3;
    const float* at[THIRDS];
#pragma GCC unroll 16
    for (int i = 0; i < THIRDS; ++i) at[i] = a + 3 * i * row;
    for (long p = 0; p < k; ++p) {
        Vec right[VECS];
#pragma GCC unroll 4
        for (int v = 0; v < VECS; ++v) right[v] = load(b + v * LANES);
        b += b_stride;
#pragma GCC unroll 16
        for (int r = 0; r < ROWS; ++r) {
            const float left = at[r / 3][r % 3 * row];
#pragma GCC unroll 4
            for (int v = 0; v < VECS; ++v) total[r][v] += left * right[v];
        }
#pragma GCC unroll 16
        for (int i = 0; i < THIRDS; ++i) at[i] += inner;
    }
#pragma GCC unroll 16
    for (int r = 0; r < ROWS; ++r)
#pragma GCC unroll 4
        for (int v = 0; v < VECS; ++v) store(c + r * stride + v * LANES, total[r][v]);
}

template <int VECS, Result RESULT>
inline void columns(float* c, long stride, const float* a, long row, long inner, const float* b,
                    long b_stride, long m, long k) {
    long i = 0;
    for (; i + 12 <= m; i += 12)
        tile<12, VECS, RESULT>(c + i * stride, stride, a + i * row, row, inner, b, b_stride, k);
    for (; i + 4 <= m; i += 4)
        tile<4, VECS, RESULT>(c + i * stride, stride, a + i * row, row, inner, b, b_stride, k);
    for (; i < m; ++i)
        tile<1, VECS, RESULT>(c + i * stride, stride, a + i * row, row, inner, b, b_stride, k);
}

// panel (k, 16 VECS) = columns of B from `first` on.
template <int VECS>
inline void pack(float* panel, Matrix b, long first, long k) {
    if (!b.transposed) {
        const float* at = b.data + first;
        for (long p = 0; p < k; ++p)
            for (int v = 0; v < VECS; ++v)
                store(panel + (p * VECS + v) * LANES, load(at + p * b.stride + v * LANES));
        return;
    }
    for (int v = 0; v < VECS; ++v)
        for (long p = 0; p < k; p += LANES) {
            const float* at = b.data + (first + v * LANES) * b.stride + p;
            Vec rows[LANES];
#pragma GCC unroll 16
            for (long i = 0; i < LANES; ++i) rows[i] = load(at + i * b.stride);
            transpose(rows);
#pragma GCC unroll 16
            for (long i = 0; i < LANES; ++i) store(panel + ((p + i) * VECS + v) * LANES, rows[i]);
        }
}

template <int VECS, Result RESULT>
inline void panel_product(float* c, long stride, Matrix a, Matrix b, long first, long m, long k) {
    static thread_local std::vector<float> memory;
    const size_t needed = static_cast<size_t>(k) * VECS * LANES;
    if (memory.size() < needed) memory.resize(needed);
    pack<VECS>(memory.data(), b, first, k);
    const long row = a.transposed ? 1 : a.stride, inner = a.transposed ? a.stride : 1;
    columns<VECS, RESULT>(c + first, stride, a.data, row, inner, memory.data(), VECS * LANES, m, k);
}

// C (m, n) = or += A (m, k) B (k, n).
template <Result RESULT = SET>
inline void product(float* c, long stride, Matrix a, Matrix b, long m, long n, long k) {
    if (n % LANES || (b.transposed && k % LANES))
        return blas_product(c, stride, a, b, m, n, k, RESULT == ADD);
    long first = 0;
    for (; first + 2 * LANES <= n; first += 2 * LANES)
        panel_product<2, RESULT>(c, stride, a, b, first, m, k);
    if (first < n) panel_product<1, RESULT>(c, stride, a, b, first, m, k);
}

// C (m, n) = A (m, k) B (k, n) for the matrices of one head, which lie in the cache as they are.
inline void small_product(float* c, long stride, Matrix a, const float* b, long b_stride, long m,
                          long n, long k) {
    if (n % LANES) return blas_product(c, stride, a, plain(b, b_stride), m, n, k, 0.0f);
    const long row = a.transposed ? 1 : a.stride, inner = a.transposed ? a.stride : 1;
    long j = 0;
    for (; j + 2 * LANES <= n; j += 2 * LANES)
        columns<2, SET>(c + j, stride, a.data, row, inner, b + j, b_stride, m, k);
    if (j < n) columns<1, SET>(c + j, stride, a.data, row, inner, b + j, b_stride, m, k);
}
