// Dropout masks as bits, 64 elements to a word. A word depends on the seed and its own number only,
// so the masks are the same however the work is cut up and whichever thread does it.
#pragma once

#include <cstdint>

#include "vector.h"

// SplitMix64 (Steele, Lea & Flood 2014) read at a place: word `number` of the sequence of `seed`.
inline uint64_t random_word(uint64_t seed, uint64_t number) {
    uint64_t x = seed + (number + 1) * 0x9E3779B97F4A7C15u;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

struct Dropout {
    uint64_t seed;
    uint32_t kept;  // how many of 65,536 equally likely outcomes keep an element

    float scale() const { return 65536.0f / static_cast<float>(kept); }

    // 64 independent bits, each 1 with probability kept / 65536. `site` numbers the places of the
    // network that have a mask, `number` the words of one of them.
    uint64_t bits(uint64_t site, uint64_t number) const {
        if (kept >= 65536) return ~uint64_t{0};
        // Binary digits of the probability from the last 1 on: "or" with a fair bit maps a
        // probability P to (1 + P) / 2, "and" maps it to P / 2.
        const int first = __builtin_ctz(kept), digits = 16 - first;
        const uint64_t place = (site << 48) + number * static_cast<uint64_t>(digits);
        if (digits == 1) return random_word(seed, place);  // one half
        uint64_t fair[16];
        for (int i = 0; i < 16; ++i) fair[i] = random_word(seed, place + static_cast<uint64_t>(i));
        uint64_t result = 0;
        for (int i = 0; i < digits; ++i)
            result = (kept >> (first + i) & 1) ? result | fair[i] : result & fair[i];
        return result;
    }
};

// Where 16 bits, from `first` on, of a row's mask are set: lanes of -1, else 0.
inline Ints kept_lanes(const uint64_t* row, long first) {
    const int32_t word = static_cast<int32_t>(row[first / 64] >> (first % 64));
    return -((word >> lane_numbers()) & 1);
}

constexpr long words(long elements) { return (elements + 63) / 64; }
