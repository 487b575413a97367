# convoy::zstd and convoy::blosc, whose own packages describe themselves to CMake in a different way on each system, or not at
# all. Included by the build and, installed beside it, by convoy-config.cmake: so no path of the machine that built convoy is in
# what is installed. CONVOY_CODECS_MISSING names what was not found.
set(CONVOY_CODECS_MISSING "")
foreach(codec zstd blosc)
  string(TOUPPER ${codec} name)
  find_path(CONVOY_${name}_DIR ${codec}.h)
  find_library(CONVOY_${name}_LIBRARY ${codec})
  mark_as_advanced(CONVOY_${name}_DIR CONVOY_${name}_LIBRARY)
  if(NOT CONVOY_${name}_DIR OR NOT CONVOY_${name}_LIBRARY)
    list(APPEND CONVOY_CODECS_MISSING ${codec})
  elseif(NOT TARGET convoy::${codec})
    add_library(convoy::${codec} UNKNOWN IMPORTED)
    set_target_properties(convoy::${codec} PROPERTIES
      IMPORTED_LOCATION ${CONVOY_${name}_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${CONVOY_${name}_DIR})
  endif()
endforeach()
if(TARGET convoy::blosc AND CONVOY_BLOSC_LIBRARY MATCHES "\\.(a|lib)$")  # a static one, or an import library, which lacks nothing
  find_library(CONVOY_LZ4_LIBRARY lz4)
  mark_as_advanced(CONVOY_LZ4_LIBRARY)
  if(CONVOY_LZ4_LIBRARY)
    set_property(TARGET convoy::blosc PROPERTY INTERFACE_LINK_LIBRARIES ${CONVOY_LZ4_LIBRARY})
  endif()
  set_property(TARGET convoy::blosc APPEND PROPERTY INTERFACE_LINK_LIBRARIES convoy::zstd ZLIB::ZLIB)
endif()
list(JOIN CONVOY_CODECS_MISSING " and " CONVOY_CODECS_MISSING)
