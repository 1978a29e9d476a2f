# Fill a manual page's frame with the settings that its program prints.
#   PROGRAM, ARGUMENTS (a list)   what prints them
#   FRAME, OUT                    the page without and with them
#   VERSION                       for the page's foot
execute_process(COMMAND ${PROGRAM} ${ARGUMENTS} OUTPUT_VARIABLE SETTINGS RESULT_VARIABLE status)
if(NOT status EQUAL 0 OR SETTINGS STREQUAL "")
    message(FATAL_ERROR "${PROGRAM} ${ARGUMENTS} did not print its settings (status ${status})")
endif()
configure_file(${FRAME} ${OUT} @ONLY)
