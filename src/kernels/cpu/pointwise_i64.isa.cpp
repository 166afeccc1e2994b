#include "kernels/cpu/pointwise_loops.h"

namespace glia::cpu::GLIA_ISA_NS {

PwFn pw_function_i64(PwOp op, int uniform) { return pw_find_function<int64_t>(op, uniform); }

}  // namespace glia::cpu::GLIA_ISA_NS
