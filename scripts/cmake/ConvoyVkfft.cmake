# Finds VkFFT's headers and finds out whether they are the very release that backends/vkfft/repairs.hpp fits.
# Sets CONVOY_VKFFT_FOUND, CONVOY_VKFFT_MISSING (what to do where it is not, else empty), CONVOY_VKFFT_DIR (folder of vkFFT.h) and CONVOY_VKFFT_REPAIRABLE.
set(CONVOY_VKFFT_DIR "${CONVOY_VKFFT_INCLUDE_DIR}")
if(NOT CONVOY_VKFFT_DIR AND CONVOY_FETCH_VKFFT)
  include(FetchContent)
  FetchContent_Declare(vkfft GIT_REPOSITORY https://github.com/DTolm/VkFFT.git GIT_TAG v1.3.4)
  FetchContent_GetProperties(vkfft)
  if(NOT vkfft_POPULATED)
    FetchContent_Populate(vkfft)
  endif()
  set(CONVOY_VKFFT_DIR ${vkfft_SOURCE_DIR}/vkFFT)
endif()
if(NOT CONVOY_VKFFT_DIR)
  find_path(CONVOY_VKFFT_SYSTEM_DIR vkFFT.h PATH_SUFFIXES vkFFT)
  mark_as_advanced(CONVOY_VKFFT_SYSTEM_DIR)
  set(CONVOY_VKFFT_DIR "${CONVOY_VKFFT_SYSTEM_DIR}")
endif()

set(CONVOY_VKFFT_FOUND OFF)
set(CONVOY_VKFFT_MISSING "vkFFT.h was not found (Debian: libvkfft-dev of bookworm-backports, else CONVOY_VKFFT_INCLUDE_DIR may name the folder, or CONVOY_FETCH_VKFFT=ON downloads it)")
set(CONVOY_VKFFT_REPAIRABLE OFF)
if(CONVOY_VKFFT_DIR AND EXISTS ${CONVOY_VKFFT_DIR}/vkFFT.h)
  set(CONVOY_VKFFT_FOUND ON)
  set(CONVOY_VKFFT_MISSING "")
  set(CONVOY_VKFFT_REPAIRABLE ON)
  set(codegen ${CONVOY_VKFFT_DIR}/vkFFT/vkFFT_CodeGen)
  foreach(pair
      vkFFT_KernelsLevel0/vkFFT_Zeropad.h=bb70cf520eaacc1dc5e1a89178281b7f676bc465d461f0429cd660921133b5a7
      vkFFT_KernelsLevel1/vkFFT_ReadWrite.h=0a2dc6310b5ba4d662ccaedbbc96e6b91fe3efe27ea8053bf93bb52c327fef60
      vkFFT_KernelsLevel1/PrePostProcessing/vkFFT_Convolution.h=29ad753169cafc992121798881ee9078cf8a19dab20b4c24040b1bea95d66fe6)
    string(REPLACE "=" ";" pair ${pair})
    list(GET pair 0 file)
    list(GET pair 1 expected)
    set(actual "missing")
    if(EXISTS ${codegen}/${file})
      file(SHA256 ${codegen}/${file} actual)
    endif()
    if(NOT actual STREQUAL expected)
      set(CONVOY_VKFFT_REPAIRABLE OFF)
      message(STATUS "convoy: ${file} is not that of VkFFT 1.3.4: the fused path is off, the staged one is used")
    endif()
  endforeach()
endif()

# convoy_vkfft_source(NUMBER FILE): the one unit of a backend that includes VkFFT, for VKFFT_BACKEND NUMBER.
add_library(convoy_vkfft INTERFACE)
if(CONVOY_VKFFT_FOUND)
  target_include_directories(convoy_vkfft SYSTEM INTERFACE ${CONVOY_VKFFT_DIR})
  target_link_libraries(convoy PRIVATE $<BUILD_INTERFACE:convoy_vkfft>)
endif()
# Compiled plans are kept on disk: what they were made by is part of their key.
set(CONVOY_VKFFT_LAYER "")
foreach(file repairs.hpp vkfft_app.hpp vkfft_convolution.hpp self_test.cpp)
  set_property(DIRECTORY ${PROJECT_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/backends/vkfft/${file})
  file(SHA256 ${PROJECT_SOURCE_DIR}/backends/vkfft/${file} hash)
  string(APPEND CONVOY_VKFFT_LAYER ${hash})
endforeach()
string(SHA256 CONVOY_VKFFT_LAYER "${CONVOY_VKFFT_LAYER}")

function(convoy_vkfft_source number file)
  target_sources(convoy PRIVATE ${file})
  set_property(SOURCE ${file} TARGET_DIRECTORY convoy APPEND PROPERTY COMPILE_DEFINITIONS
    VKFFT_BACKEND=${number} CONVOY_VKFFT_LAYER="${CONVOY_VKFFT_LAYER}" CONVOY_VKFFT_REPAIRABLE=$<BOOL:${CONVOY_VKFFT_REPAIRABLE}>)
  # VkFFT is 100,000 lines that print kernels: more optimisation would cost minutes of building and win nothing. Precompiled headers
  # are not for code of another optimisation.
  set_property(SOURCE ${file} TARGET_DIRECTORY convoy APPEND PROPERTY COMPILE_OPTIONS $<$<NOT:$<CXX_COMPILER_ID:MSVC>>:-Os>)
  set_property(SOURCE ${file} TARGET_DIRECTORY convoy PROPERTY SKIP_PRECOMPILE_HEADERS ON)
  # Where gcc inlines VkFFT's printers it cannot see that the branches which set these pointers cover all cases.
  set_property(SOURCE ${file} TARGET_DIRECTORY convoy APPEND PROPERTY COMPILE_OPTIONS
    $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  # For an axis of length 1 VkFFT looks at the stage before the first, within its structure, and does not use what it sees.
  if(CONVOY_SANITIZE)
    set_property(SOURCE ${file} TARGET_DIRECTORY convoy APPEND PROPERTY COMPILE_OPTIONS -fno-sanitize=bounds)
  endif()
endfunction()
