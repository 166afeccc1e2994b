// Fourier transforms. A complex array is a pair {real, imaginary} of arrays of one shape.
//
//   Values spectrum = ops::rfft(x);                          // {(…, n/2 + 1), (…, n/2 + 1)}
//   Values s = ops::stft(sound, 256, 128, 256);              // {(…, frames, 129), …}
#pragma once
#include <optional>
#include <string>

#include <glia/value.h>

namespace glia::ops {

// Along the last axis (the last two for fft2), any length; the inverse transforms divide by the number of elements.
Values fft(const Values& x);
Values ifft(const Values& x);
Values fft2(const Values& x);
Values ifft2(const Values& x);
// Of real arrays: the n/2 + 1 frequencies that are not redundant. x is cut or padded with zeros to fft_length.
Values rfft(const Value& x, std::optional<int64_t> fft_length = {});
// Back to fft_length real samples (default 2 (n - 1)).
Value irfft(const Values& x, std::optional<int64_t> fft_length = {});

struct StftOptions {
  std::string window = "hann";  // or "hamming"; "" for none
  Value window_values;          // instead: (sequence_length)
  bool center = true;           // frames are centred on their place; the sound is mirrored at both ends
};
// Short-time transform of x (..., samples): frames of sequence_length every sequence_stride samples, windowed, in the middle of
// fft_length samples. Result: {real, imaginary} (..., frames, fft_length / 2 + 1).
Values stft(const Value& x, int64_t sequence_length, int64_t sequence_stride, int64_t fft_length, const StftOptions& options = {});
// The inverse: overlapping frames are added, each weighted by the window over the sum of squares of the windows there. length:
// number of samples wanted.
Value istft(const Values& x, int64_t sequence_length, int64_t sequence_stride, int64_t fft_length, std::optional<int64_t> length = {},
            const StftOptions& options = {});

}  // namespace glia::ops
