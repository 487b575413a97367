// Compiled for AVX2 and FMA.
#define CONVOY_VECTORS avx2
#define CONVOY_VECTOR_BYTES 32
#include "backends/cpu/direct_rows_text.hpp"
