# Write the Lua files FILES (separated by ,) into the C file OUT, which includes HEADER, each with the SHA-1 by which EVALSHA names it.
string(REPLACE "," ";" files "${FILES}")
set(c "#include \"${HEADER}\"\n")
foreach(file IN LISTS files)
    get_filename_component(name ${file} NAME_WE)
    file(SHA1 ${file} sha1)
    file(READ ${file} bytes HEX)
    string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
    string(APPEND c
        "\nstatic const char ${name}[] = {${bytes}0};\n"
        "const struct redis_script script_${name} = {${name}, sizeof ${name} - 1, \"${sha1}\"};\n")
endforeach()
file(WRITE ${OUT} "${c}")
