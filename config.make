# nginx's configure reads this after it has written the rules of the objects.
#
# nginx has no flags of its own for C++, and CFLAGS reach its C files too: each
# of our objects gets its own. The compiler notes the headers an object really
# uses, so a changed header rebuilds what includes it and nothing else.

for cacheback_file in $cacheback_srcs; do
    cacheback_obj=$NGX_OBJS/addon/$(basename "$(dirname "$cacheback_file")")
    cacheback_obj=$cacheback_obj/$(basename "$cacheback_file" .cpp)

    cat << END                                                >> $NGX_MAKEFILE

$cacheback_obj.o:	CFLAGS += -fvisibility=hidden -MMD -MP
-include $cacheback_obj.d

END
done
