# nginx's configure reads this after it has written the rules of the objects.
#
# nginx has no flags of its own for C++, and CFLAGS reach its C files too: each
# of our objects gets its own, and is spared what Debian gives to C alone. Warnings
# of a compiler that is newer than this module do not stop nginx' users; CI sets
# CACHEBACK_WERROR. The compiler notes the headers an object really uses, so a
# changed header rebuilds what includes it and nothing else.

cacheback_warnings=${CACHEBACK_WERROR:--Wno-error}
[ "$cacheback_warnings" = -Wno-error ] || cacheback_warnings=-Werror

for cacheback_file in $cacheback_srcs; do
    cacheback_obj=$NGX_OBJS/addon/$(basename "$(dirname "$cacheback_file")")
    cacheback_obj=$cacheback_obj/$(basename "$cacheback_file" .cpp)

    cat << END                                                >> $NGX_MAKEFILE

$cacheback_obj.o:	CFLAGS := \$(filter-out -Werror=implicit-%,\$(CFLAGS)) \
	$cacheback_warnings -fvisibility=hidden -MMD -MP
-include $cacheback_obj.d

END
done
