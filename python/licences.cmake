# The licences of what is compiled into the extension, into the wheel's dist-info/licenses (python/CMakeLists.txt, under pip).
# Each is looked for beside the sources that were found, then where Debian's packages have it.
function(convoy_python_licence name)
  foreach(candidate IN LISTS ARGN)
    file(GLOB found ${candidate})
    if(found)
      list(GET found 0 found)
      install(FILES ${found} DESTINATION ${SKBUILD_METADATA_DIR}/licenses/${name} RENAME LICENSE COMPONENT python)
      return()
    endif()
  endforeach()
  message(WARNING "convoy: no licence text of ${name} was found (${ARGN}); a wheel that is given to others must hold one")
endfunction()

# The same for a licence that is the comment at a source's beginning.
function(convoy_python_notice name source)
  file(READ ${source} text LIMIT 6000)
  string(FIND "${text}" "#" end)  # the first directive
  string(SUBSTRING "${text}" 0 ${end} text)
  string(REGEX REPLACE "\n/\\*[^/]*This code is free software.*" "\n" text "${text}")  # of two licences the one that is taken, BSD-3
  file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/notices/${name} "${text}")
  convoy_python_licence(${name} ${CMAKE_CURRENT_BINARY_DIR}/notices/${name})
endfunction()

get_filename_component(nanobind ${nanobind_DIR}/.. ABSOLUTE)
get_filename_component(site ${nanobind}/.. ABSOLUTE)
set(doc /usr/share/doc)
convoy_python_licence(nanobind ${site}/nanobind-*.dist-info/licenses/LICENSE ${site}/nanobind-*.dist-info/LICENSE)
convoy_python_notice(robin_map ${nanobind}/ext/robin_map/include/tsl/robin_map.h)
convoy_python_licence(fmt ${doc}/libfmt-dev/copyright ${fmt_DIR}/../../../share/licenses/fmt/LICENSE*)
convoy_python_licence(nlohmann_json ${doc}/nlohmann-json3-dev/copyright ${nlohmann_json_DIR}/../../licenses/nlohmann_json/LICENSE*)
convoy_python_licence(xxHash ${CONVOY_XXHASH_DIR}/LICENSE ${doc}/libxxhash-dev/copyright)
if(CONVOY_DUCC_FOLDER)  # of its FFT, BSD-3; the package's LICENSE is that of parts that are not used
  convoy_python_notice(ducc0 ${CONVOY_DUCC_FOLDER}/ducc0/fft/fft1d_impl.h)
endif()
convoy_python_licence(VkFFT ${CONVOY_VKFFT_INCLUDE_DIR}/../LICENSE ${doc}/libvkfft-dev/copyright)
if(CONVOY_HAS_VULKAN)
  convoy_python_licence(glslang ${doc}/glslang-dev/copyright ${glslang_DIR}/../../../share/licenses/glslang/LICENSE*)
  convoy_python_licence(SPIRV-Tools ${doc}/spirv-tools/copyright ${glslang_DIR}/../../../share/licenses/spirv-tools/LICENSE*)
  convoy_python_licence(Vulkan-Headers ${doc}/libvulkan-dev/copyright ${CONVOY_VULKAN_HEADERS}/../share/licenses/vulkan-headers/LICENSE*)
endif()
convoy_python_licence(libstdc++ ${doc}/libstdc++6/copyright ${doc}/gcc-*-base/copyright)
