# convoy_link_fmt(TARGET): fmt without libfmt, so that who links convoy links no libfmt. As header-only fmt would have every unit
# compile the formatter (3.6 s each), one unit of TARGET does, src/base/formatting.cpp, for the releases whose names it knows.
function(convoy_link_fmt target)
  target_include_directories(${target} SYSTEM PRIVATE $<TARGET_PROPERTY:fmt::fmt,INTERFACE_INCLUDE_DIRECTORIES>)
  if(fmt_VERSION VERSION_GREATER_EQUAL 9 AND fmt_VERSION VERSION_LESS 10)
    target_sources(${target} PRIVATE ${PROJECT_SOURCE_DIR}/src/base/formatting.cpp)
    set_source_files_properties(${PROJECT_SOURCE_DIR}/src/base/formatting.cpp TARGET_DIRECTORY ${target} PROPERTIES
      SKIP_PRECOMPILE_HEADERS ON SKIP_UNITY_BUILD_INCLUSION ON)
  else()
    target_compile_definitions(${target} PRIVATE FMT_HEADER_ONLY=1)
  endif()
endfunction()
