// For what every processor of this kind has.
#define CONVOY_VECTORS base
#define CONVOY_VECTOR_BYTES 16
#include "backends/cpu/direct_rows_text.hpp"
