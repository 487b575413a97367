# fmt for cross builds: its headers are every architecture's, its library is not.
set(fmt_VERSION 9.1.0)
add_library(fmt::fmt INTERFACE IMPORTED)
set_target_properties(fmt::fmt PROPERTIES INTERFACE_COMPILE_DEFINITIONS FMT_HEADER_ONLY=1)
