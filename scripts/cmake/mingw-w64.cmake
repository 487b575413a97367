# Toolchain file: Windows on x86-64 by Debian's mingw-w64, with libraries of CONVOY_WINDOWS_ROOT; programs run under wine.
# scripts/windows-dependencies makes that folder.
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES CONVOY_WINDOWS_ROOT)
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR AMD64)
set(CMAKE_C_COMPILER x86_64-w64-mingw32-gcc-posix)
set(CMAKE_CXX_COMPILER x86_64-w64-mingw32-g++-posix)
set(CMAKE_RC_COMPILER x86_64-w64-mingw32-windres)
set(CMAKE_FIND_ROOT_PATH ${CONVOY_WINDOWS_ROOT} /usr/x86_64-w64-mingw32)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
foreach(kind EXE SHARED MODULE)  # programs and DLLs need none of gcc's DLLs
  set(CMAKE_${kind}_LINKER_FLAGS_INIT -static)
endforeach()
