# Every examples/x.cpp becomes build/<preset>/bin/x.
file(GLOB GLIA_EXAMPLES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/examples/*.cpp)
foreach(src IN LISTS GLIA_EXAMPLES)
  get_filename_component(name ${src} NAME_WE)
  add_executable(${name} ${src})
  target_link_libraries(${name} PRIVATE glia::glia glia_flags)
endforeach()
