// FABRICAST_HOST_DEVICE: one source for g++ and nvcc. Functions marked so are the device logic that
// host tests run with threads and under ThreadSanitizer.
#pragma once

#if defined(__CUDACC__)
#define FABRICAST_HOST_DEVICE __host__ __device__
#else
#define FABRICAST_HOST_DEVICE
#endif
