# Write the Lua files FILES (separated by ,) into the C file OUT, which includes HEADER, each with the SHA-1 by which EVALSHA
# names it. channel_position.lua stands in front of those that keep the position of a channel.
cmake_policy(SET CMP0057 NEW)
set(with_position channel_append channel_read)
string(REPLACE "," ";" files "${FILES}")
set(c "#include \"${HEADER}\"\n")
foreach(file IN LISTS files)
    get_filename_component(name ${file} NAME_WE)
    file(READ ${file} bytes HEX)
    file(READ ${file} text)
    if(name IN_LIST with_position)
        get_filename_component(folder ${file} DIRECTORY)
        file(READ ${folder}/channel_position.lua head HEX)
        file(READ ${folder}/channel_position.lua head_text)
        string(PREPEND bytes "${head}")
        string(PREPEND text "${head_text}")
    endif()
    string(SHA1 sha1 "${text}")
    string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
    string(APPEND c
        "\nstatic const char ${name}[] = {${bytes}0};\n"
        "const struct redis_script script_${name} = {${name}, sizeof ${name} - 1, \"${sha1}\"};\n")
endforeach()
file(WRITE ${OUT} "${c}")
