# Does Glia work as a dependency? tests/packaging is a project of its own that is built in both documented ways.
set(consumer ${PROJECT_SOURCE_DIR}/tests/packaging)
set(work ${PROJECT_BINARY_DIR}/packaging)
set(common -DCMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER} -DLAUNCHER=${CMAKE_CXX_COMPILER_LAUNCHER}
    -DCONSUMER=${consumer} -DWORK=${work} -DGLIA_SOURCE=${PROJECT_SOURCE_DIR} -DGLIA_BUILD=${PROJECT_BINARY_DIR})

add_test(NAME packaging.find_package COMMAND ${CMAKE_COMMAND} -DMODE=find_package ${common} -P ${consumer}/run.cmake)
add_test(NAME packaging.fetch_content COMMAND ${CMAKE_COMMAND} -DMODE=fetch_content ${common} -P ${consumer}/run.cmake)
add_test(NAME packaging.hello_O0 COMMAND ${CMAKE_CXX_COMPILER} -std=c++20 -O0 -Wall -Wextra -Werror
         -I${PROJECT_SOURCE_DIR}/include -c ${consumer}/consumer.cpp -o ${PROJECT_BINARY_DIR}/hello_O0.o)
# What people switch on must not warn about the public headers, nor about options that a program leaves out.
add_test(NAME packaging.warnings COMMAND ${CMAKE_CXX_COMPILER} -std=c++20 -fsyntax-only -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror
         -I${PROJECT_SOURCE_DIR}/include ${consumer}/trainer.cpp)
set_tests_properties(packaging.find_package packaging.hello_O0 packaging.warnings PROPERTIES LABELS packaging)
# The second way compiles the whole library again: cheap where ccache remembers the release build, else minutes.
if(CMAKE_CXX_COMPILER_LAUNCHER MATCHES "ccache")
  set_tests_properties(packaging.fetch_content PROPERTIES LABELS packaging TIMEOUT 1800)
else()
  set_tests_properties(packaging.fetch_content PROPERTIES LABELS "packaging;long" TIMEOUT 3600)
endif()
