// Arrays cut from one piece of memory.
#pragma once

#include <cstdint>
#include <vector>

// Hands out arrays one after the other, each on a cache line of its own.
class Cutter {
  public:
    explicit Cutter(void* start) : at(reinterpret_cast<uintptr_t>(start)), from(at) {}

    template <class Item = float>
    Item* take(long count) {
        Item* result = reinterpret_cast<Item*>(at);
        at += (static_cast<uintptr_t>(count) * sizeof(Item) + 63) / 64 * 64;
        return result;
    }

    long floats() const { return static_cast<long>((at - from) / sizeof(float)); }

  private:
    uintptr_t at, from;
};

// Cuts arrays from memory that this thread keeps from call to call; cut_up returns them.
template <class CutUp>
auto in_thread_memory(const CutUp& cut_up) {
    static thread_local std::vector<float> memory;
    Cutter counter(nullptr);
    cut_up(counter);
    const size_t needed = static_cast<size_t>(counter.floats()) + 16;
    if (memory.size() < needed) memory.resize(needed);
    const uintptr_t start = (reinterpret_cast<uintptr_t>(memory.data()) + 63) / 64 * 64;
    Cutter cut(reinterpret_cast<void*>(start));
    return cut_up(cut);
}
