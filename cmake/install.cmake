# Install rules and the package config: one export set a component, so that a user of the core
# needs neither OpenSSL nor spdlog.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/asio_retry)

foreach(part core http spdlog testing)
  set(target asio_retry_${part})
  if(part STREQUAL core)
    set(target asio_retry)
  endif()
  if(TARGET ${target})
    install(TARGETS ${target} EXPORT asio_retry_${part} FILE_SET HEADERS)
    install(EXPORT asio_retry_${part}
      NAMESPACE asio_retry::
      FILE asio_retry-${part}.cmake
      DESTINATION ${package_dir})
  endif()
endforeach()

if(TARGET asio_retry_http)
  # For editors: "$schema" in a policy file may name it.
  install(FILES ${PROJECT_SOURCE_DIR}/include/asio_retry/http/policy.schema.json
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/asio_retry/http)
endif()

if(TARGET asio-retry)
  install(TARGETS asio-retry)
endif()

configure_package_config_file(
  ${CMAKE_CURRENT_LIST_DIR}/asio_retry-config.cmake.in
  ${PROJECT_BINARY_DIR}/asio_retry-config.cmake
  INSTALL_DESTINATION ${package_dir})
# Before 1.0 a minor version may break an interface.
write_basic_package_version_file(
  ${PROJECT_BINARY_DIR}/asio_retry-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/asio_retry-config.cmake
  ${PROJECT_BINARY_DIR}/asio_retry-config-version.cmake
  ${CMAKE_CURRENT_LIST_DIR}/FindBrotli.cmake
  DESTINATION ${package_dir})
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
