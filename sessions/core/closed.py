"""The messages about a closed session, and about headers that were sent already."""

HEADERS_LEFT = (
    "the headers of the handshake were sent already, so the client cannot receive another id. Fix:"
    " change the session before you accept the connection"
)
CLOSED = (
    "the session is closed: the headers of its response were sent, or your code closed it. Fix:"
    " use the session before the first byte of the response body. After the response, in a"
    " background task or a thread, get the session from the manager: manager.get(id). If the"
    " code after the `yield` of a FastAPI dependency uses the session, write"
    ' Depends(..., scope="function") where you declare the dependency'
)
