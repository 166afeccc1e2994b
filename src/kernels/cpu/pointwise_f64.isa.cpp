#include "kernels/cpu/pointwise_loops.h"

namespace glia::cpu::GLIA_ISA_NS {

PwFn pw_function_f64(PwOp op, int uniform) { return pw_find_function<double>(op, uniform); }

}  // namespace glia::cpu::GLIA_ISA_NS
