"""A WSGI application that says who asked; its answers are stale at once."""


def application(environ, start_response):
    start_response("200 OK", [
        ("Content-Type", "text/plain"),
        ("Cache-Control", "max-age=0, stale-while-revalidate=9"),
        ("X-Refresh", environ.get("HTTP_CACHEBACK_REFRESH", "no"))])
    cookie = environ.get("HTTP_COOKIE") or "no cookie"
    return [f"{environ['REQUEST_METHOD']} {environ['REQUEST_URI']} "
            f"{cookie}\n".encode()]
