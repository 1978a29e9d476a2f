# Warnings for our own code; generated code is compiled without them (proto/CMakeLists.txt).
add_compile_options(
    -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes
    -Wpointer-arith -Wvla -Wswitch-enum)
option(GATEPOST_WERROR "warnings are errors (CI)" OFF)
if(GATEPOST_WERROR)
    add_compile_options(-Werror)
endif()
include_directories(${PROJECT_SOURCE_DIR})
