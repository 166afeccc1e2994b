# Install rules: headers, the static library and a package for find_package(glia).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
if(PROJECT_IS_TOP_LEVEL)
  set(GLIA_INSTALL_DEFAULT ON)
else()
  set(GLIA_INSTALL_DEFAULT OFF)  # a project that vendors Glia links it in and does not ship it
endif()
option(GLIA_INSTALL "Generate the install target" ${GLIA_INSTALL_DEFAULT})
if(NOT GLIA_INSTALL)
  return()
endif()

install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/glia DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(TARGETS glia EXPORT glia-targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
set(GLIA_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/glia)
install(EXPORT glia-targets NAMESPACE glia:: DESTINATION ${GLIA_CMAKE_DIR})
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/glia-config.cmake.in
                              ${PROJECT_BINARY_DIR}/glia-config.cmake INSTALL_DESTINATION ${GLIA_CMAKE_DIR})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/glia-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/glia-config.cmake ${PROJECT_BINARY_DIR}/glia-config-version.cmake
        DESTINATION ${GLIA_CMAKE_DIR})
