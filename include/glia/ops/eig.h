// Eigenvalues of any square matrix, named as in keras.ops. Included by <glia/glia.h>, not by <glia/ops.h>.
//
//   Values e = ops::eig(Tensor::from_vector<float>({2, 2}, {0, -1, 1, 0}));
//   e[0].tensor(), e[1].tensor();   // real and imaginary parts of the eigenvalues: {0, 0}, {1, -1} in some order
#pragma once
#include <glia/value.h>

namespace glia::ops {

// {real parts, imaginary parts of the eigenvalues (..., n), real parts, imaginary parts of the eigenvectors (..., n, n)}: Keras gives two
// complex tensors, Glia a pair of each, as for Fourier transforms. Vectors stand in columns and have length 1; the order of the
// values and the phase of a vector are not defined. x: square matrices (..., n, n), float32 or float64; integers become float32. No
// gradient. For symmetric matrices `eigh` is faster, sorted and has a gradient.
Values eig(const Value& x);

}  // namespace glia::ops
