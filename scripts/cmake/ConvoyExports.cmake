# convoy_export_own_symbols(TARGET): a shared library of convoy shows no symbol of what is linked into it, and carries nothing that
# none of its own symbols needs.
function(convoy_export_own_symbols target)
  if(CMAKE_SYSTEM_NAME STREQUAL "Linux")
    set(map ${PROJECT_SOURCE_DIR}/scripts/cmake/exports.map)
    target_link_options(${target} PRIVATE -Wl,--exclude-libs,ALL -Wl,--gc-sections -Wl,--version-script=${map})
    set_property(TARGET ${target} APPEND PROPERTY LINK_DEPENDS ${map})
  endif()
endfunction()
