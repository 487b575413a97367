# make install: headers, libraries, command line, and what find_package(convoy) and pkg-config need. Components: library, io, cli and
# mpi; shared libraries are in library_runtime and io_runtime, which is all that compiled programs need.
include(CMakePackageConfigHelpers)
set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/convoy)
set(io_headers convoy/io.hpp convoy/picture.hpp)

# convoy_install_library(TARGET EXPORT COMPONENT)
function(convoy_install_library target export component)
  install(TARGETS ${target} EXPORT ${export} COMPONENT ${component}
          LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT ${component}_runtime NAMELINK_COMPONENT ${component} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(EXPORT ${export} NAMESPACE convoy:: DESTINATION ${package_folder} COMPONENT ${component})
endfunction()

convoy_install_library(convoy convoy_targets library)
list(TRANSFORM io_headers REPLACE "\\." "\\\\." OUTPUT_VARIABLE patterns)
list(JOIN patterns "|" patterns)
install(DIRECTORY include/convoy DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT library REGEX "/(${patterns})$" EXCLUDE)
install(FILES include/convoy.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT library)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/include/convoy/version.hpp DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/convoy COMPONENT library)
if(TARGET convoy_io)
  convoy_install_library(convoy_io convoy_io_targets io)
  list(TRANSFORM io_headers PREPEND include/)
  install(FILES ${io_headers} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/convoy COMPONENT io)
  install(FILES scripts/cmake/ConvoyCodecs.cmake DESTINATION ${package_folder} COMPONENT io)
endif()

configure_package_config_file(scripts/cmake/convoy-config.cmake.in convoy-config.cmake INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(convoy-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/convoy-config.cmake ${CMAKE_CURRENT_BINARY_DIR}/convoy-config-version.cmake
        DESTINATION ${package_folder} COMPONENT library)

# convoy.pc and convoy-io.pc, which can be moved with all else. What a static library is linked with stands in Libs.private, for
# pkg-config --static; where there is no shared one, in Libs.
# convoy_link_names(VARIABLE TARGET): -l names of a target and all that it needs, dependents first.
function(convoy_link_names variable target)
  get_target_property(aliased ${target} ALIASED_TARGET)
  if(aliased)
    set(target ${aliased})
  endif()
  get_target_property(type ${target} TYPE)
  set(names "")
  if(NOT type STREQUAL "INTERFACE_LIBRARY")
    foreach(configuration "_${build_type}" _RELEASE _NONE _NOCONFIG "")
      get_target_property(file ${target} IMPORTED_LOCATION${configuration})
      if(file)
        break()
      endif()
    endforeach()
    get_filename_component(name ${file} NAME_WE)
    string(REGEX REPLACE "^lib" "" name ${name})
    list(APPEND names -l${name})
  endif()
  get_target_property(needs ${target} INTERFACE_LINK_LIBRARIES)
  if(NOT needs)
    set(needs "")
  endif()
  foreach(need IN LISTS needs)
    string(REGEX REPLACE "\\$<LINK_ONLY:(.*)>" "\\1" need "${need}")
    if(TARGET ${need})
      convoy_link_names(more ${need})
      list(APPEND names ${more})
    elseif(need MATCHES "^(-l)?[A-Za-z0-9_-]+$")
      string(REGEX REPLACE "^-l" "" need ${need})
      list(APPEND names -l${need})
    endif()
  endforeach()
  list(REVERSE names)  # the last of equals stays: it serves all before it
  list(REMOVE_DUPLICATES names)
  list(REVERSE names)
  set(${variable} "${names}" PARENT_SCOPE)
endfunction()
string(TOUPPER "${CMAKE_BUILD_TYPE}" build_type)

set(private "")
if(CONVOY_HAS_VULKAN)
  find_package(glslang CONFIG QUIET)  # its targets are seen in the folder of the backend only
  foreach(target glslang::SPIRV glslang::glslang)
    convoy_link_names(names ${target})
    list(APPEND private ${names})
  endforeach()
endif()
list(APPEND private -lstdc++ -lm ${CMAKE_DL_LIBS} -pthread)
list(TRANSFORM private REPLACE "^dl$" "-ldl")
list(REVERSE private)
list(REMOVE_DUPLICATES private)
list(REVERSE private)
list(JOIN private " " private)
file(RELATIVE_PATH pc_up "/prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig" /prefix)
string(REGEX REPLACE "/$" "" pc_up "${pc_up}")
if(BUILD_SHARED_LIBS)
  set(private_lines "Libs.private: ${private}\n")
  set(io_requires "Requires: convoy\nRequires.private:")
else()
  set(libs_tail " ${private}")
  set(io_requires "Requires:")
  set(io_convoy " convoy")
endif()
function(convoy_pkg_config name component text)
  file(GENERATE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/${name}.pc CONTENT
"prefix=\${pcfiledir}/${pc_up}
libdir=\${prefix}/${CMAKE_INSTALL_LIBDIR}
includedir=\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}

Name: ${name}
Version: ${PROJECT_VERSION}
${text}")
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT ${component})
endfunction()
convoy_pkg_config(convoy library "Description: ${PROJECT_DESCRIPTION}
Cflags: -I\${includedir}
Libs: -L\${libdir} -lconvoy${libs_tail}
${private_lines}")
if(TARGET convoy_io)
  convoy_pkg_config(convoy-io io "Description: Image files for convoy
${io_requires}${io_convoy} libtiff-4 libpng zlib libzstd blosc pugixml
Cflags: -I\${includedir}
Libs: -L\${libdir} -lconvoy_io
")
endif()
