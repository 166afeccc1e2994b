// The thread pool. parallel_for splits [0, chunks) over the threads; the caller works too.
//  * chunks must be fixed by the shape of the work, never by the number of threads: results are then bitwise the same
//    for any thread count. Reductions keep one partial per chunk and combine them in chunk order.
//  * nested calls run inline; many host threads may call at once (a busy pool makes the second caller run inline).
//  * workers spin briefly, then park. Work under ~2 us is faster with chunks == 1.
//
//   parallel_for(blocks, [&](int64_t i) { do_block(i); });
#pragma once
#include <cstdint>

namespace glia {

using ChunkFn = void (*)(void* ctx, int64_t chunk);
void parallel_for_raw(int64_t chunks, ChunkFn fn, void* ctx);

template <class F>
inline void parallel_for(int64_t chunks, F&& f) {
  if (chunks <= 1) {
    if (chunks == 1) f(int64_t{0});
    return;
  }
  auto* p = &f;
  parallel_for_raw(chunks, [](void* ctx, int64_t i) { (*static_cast<decltype(p)>(ctx))(i); },
                   const_cast<void*>(static_cast<const void*>(p)));
}

// Whether this thread's parallel_for does all chunks itself from now on; the answer is what held before. Results are the same.
bool run_inline(bool on);

int num_threads();            // GLIA_NUM_THREADS, else the cores granted by affinity and cgroup
void set_num_threads(int n);  // takes effect at the next parallel_for

}  // namespace glia
