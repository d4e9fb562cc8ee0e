"""Merge a session's headers into a response's: `Vary`, `Cache-Control`, `Set-Cookie`."""

Headers = list[tuple[str, str]]


def merge_headers(headers: Headers, added: Headers) -> None:
    """Put the session's headers among the response's, in place.

    Vary is merged. Cache-Control becomes `no-store`, unless the response says so already.
    """
    for name, value in added:
        if name == "Vary":
            _merge_vary(headers, value)
        elif name == "Cache-Control":
            _forbid_storing(headers, value)
        else:
            headers.append((name, value))


def _merge_vary(headers: Headers, value: str) -> None:
    for name, _ in headers:
        if len(name) == 4 and name.lower() == "vary":
            break
    else:
        headers.append(("Vary", value))
        return
    present = [line for name, line in headers if name.lower() == "vary"]
    listed = [part.strip() for line in present for part in line.split(",") if part.strip()]
    if "*" in listed or value.lower() in map(str.lower, listed):
        return
    headers[:] = [header for header in headers if header[0].lower() != "vary"]
    headers.append(("Vary", ", ".join([*listed, value])))


def _forbid_storing(headers: Headers, value: str) -> None:
    present = [listed for name, listed in headers if name.lower() == "cache-control"]
    directives = {part.strip().lower() for line in present for part in line.split(",")}
    if value not in directives:
        headers[:] = [header for header in headers if header[0].lower() != "cache-control"]
        headers.append(("Cache-Control", value))
