# make install: headers, library, command line, and what find_package(convoy) needs.
include(CMakePackageConfigHelpers)

install(TARGETS convoy EXPORT convoy_targets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/convoy DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/include/convoy/version.hpp DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/convoy)
install(EXPORT convoy_targets NAMESPACE convoy:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/convoy)
configure_package_config_file(scripts/cmake/convoy-config.cmake.in convoy-config.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/convoy)
write_basic_package_version_file(convoy-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/convoy-config.cmake ${CMAKE_CURRENT_BINARY_DIR}/convoy-config-version.cmake
        scripts/cmake/ConvoyCodecs.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/convoy)
