# ONNX: an optional part. The schema is Debian's (libonnx-dev); protoc compiles a copy of it under a package name of our
# own, for the lite runtime, so that a program may use Glia and ONNX's library side by side.
option(GLIA_WITH_ONNX "Read and write ONNX models (needs protobuf and ONNX's schema)" ON)
set(GLIA_ONNX_FOUND FALSE)
if(GLIA_WITH_ONNX AND NOT GLIA_LIBRARY_ROOMS)
  find_package(Protobuf QUIET)
  find_file(GLIA_ONNX_SCHEMA onnx/onnx.proto)
  if(Protobuf_FOUND AND TARGET protobuf::libprotobuf-lite AND TARGET protobuf::protoc AND GLIA_ONNX_SCHEMA)
    set(GLIA_ONNX_FOUND TRUE)
  else()
    message(STATUS "ONNX: protobuf or onnx/onnx.proto was not found; built without (libprotobuf-dev protobuf-compiler libonnx-dev)")
  endif()
endif()
if(GLIA_ONNX_FOUND)
  set(onnx_dir ${PROJECT_BINARY_DIR}/generated/onnx)
  file(MAKE_DIRECTORY ${onnx_dir})
  file(READ ${GLIA_ONNX_SCHEMA} onnx_schema)
  string(REGEX REPLACE "\npackage onnx;" "\npackage glia.onnx_pb;" onnx_schema "${onnx_schema}")
  file(CONFIGURE OUTPUT ${onnx_dir}/glia_onnx.proto CONTENT "@onnx_schema@" @ONLY)
  add_custom_command(
    OUTPUT ${onnx_dir}/glia_onnx.pb.cc ${onnx_dir}/glia_onnx.pb.h
    COMMAND protobuf::protoc --cpp_out=lite:${onnx_dir} -I${onnx_dir} ${onnx_dir}/glia_onnx.proto
    DEPENDS ${onnx_dir}/glia_onnx.proto VERBATIM)
  set_source_files_properties(${onnx_dir}/glia_onnx.pb.cc PROPERTIES COMPILE_OPTIONS "-w;-O1")
  add_library(glia_onnx_pb OBJECT ${onnx_dir}/glia_onnx.pb.cc ${onnx_dir}/glia_onnx.pb.h)
  target_link_libraries(glia_onnx_pb PUBLIC protobuf::libprotobuf-lite)
  target_include_directories(glia_onnx_pb SYSTEM INTERFACE ${onnx_dir})
endif()
