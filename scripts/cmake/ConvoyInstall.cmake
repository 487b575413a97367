# make install: headers, libraries, command line, and what find_package(convoy) needs. Components: library, io and cli.
include(CMakePackageConfigHelpers)
set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/convoy)
set(io_headers convoy/io.hpp convoy/picture.hpp)

# convoy_install_library(TARGET EXPORT COMPONENT)
function(convoy_install_library target export component)
  install(TARGETS ${target} EXPORT ${export} COMPONENT ${component}
          LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
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
