# Toolchain file: arm64 Linux by Debian's cross compiler, with libraries of CONVOY_ARM64_ROOT; programs run under qemu.
# scripts/test-arm64 makes that folder.
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES CONVOY_ARM64_ROOT)
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_FIND_ROOT_PATH ${CONVOY_ARM64_ROOT})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
foreach(kind EXE SHARED MODULE)  # libraries that the libraries need
  set(CMAKE_${kind}_LINKER_FLAGS_INIT "-Wl,-rpath-link,${CONVOY_ARM64_ROOT}/lib/aarch64-linux-gnu:${CONVOY_ARM64_ROOT}/usr/lib/aarch64-linux-gnu")
endforeach()
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64-static -L ${CONVOY_ARM64_ROOT})
string(APPEND CMAKE_CXX_FLAGS_INIT " -Wno-psabi")  # notes of what GCC 10 changed
