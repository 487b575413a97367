// Compiled for AVX-512.
#define CONVOY_VECTORS avx512
#define CONVOY_VECTOR_BYTES 64
#include "backends/cpu/direct_rows_text.hpp"
