"""Attributes and arguments of other frameworks, and what to write instead in this framework.

The tables are for objects that a program uses while it runs: a request, a response, a test client.
"""

OF_REQUESTS = {
    "session": "let the handler take the session, as in def show(self, session: session)",
    "query_params query GET params query_string_params": (
        "let the handler take the value, as in page: int = 1; or write request.args"
    ),
    "body POST raw_body": (
        "let the handler take user: Body[NewUser]; or write request.get_data() or request.form"
    ),
    "body_params post cleaned_data": "let the handler take name: Form[str]; or write request.form",
    "user auth current_user": (
        "keep the user in the session with session.set_user(...), and let the handler take"
        " Annotated[User, SomeResolver]"
    ),
    "state g locals ctx context": (
        "let the handler take what it needs as a parameter: Annotated[T, SomeResolver], or a"
        ' component with scope="request"'
    ),
    "client ip client_ip": "write request.remote_addr",
    "path_params view_args match_info resolver_match": (
        "name a parameter of the handler as the variable of the path"
    ),
    "COOKIES": "write request.cookies, or let the handler take theme: Cookie[str]",
    "META environ_base header": "write request.headers, or let the handler take x: Header[str]",
    "FILES": "let the handler take a FileStorage; or write request.files",
    "app application": "let the constructor take app: Application",
    "url_for build_absolute_uri": "write app.url_for(name, request, _external=True)",
    "get_json_body data_json": "write request.json",
    "endpoint url_rule blueprint": "write request.path",
}

OF_RESPONSES = {
    "json send render jsonify": (
        "return the dict, list or dataclass from the handler; for a status or headers of your own,"
        " return framework.results.JSON(value, status=201)"
    ),
    "content body": "write response.data",
    "status_code_text reason": "write response.status",
    "cookies": (
        "write response.set_cookie(name, value); in a test, client.get_cookie(name) reads it"
    ),
    "url": "write response.request.url",
    "ok is_success": "write response.status_code < 400",
    "raise_for_status": "write `assert response.status_code == 200`",
    "header set_header": 'write response.headers["X-Name"] = "value"',
    "redirect": "write `from framework.redirects import redirect`",
    "cookie": "write response.set_cookie(name, value)",
    "context template_name": "test the text of the page: response.text",
}

OF_CLIENTS = {
    "session_transaction": "write `with client.session() as session:`",
    "cookies": "write client.get_cookie(name) or client.set_cookie(name, value)",
    "request": 'write client.open("/path", method="GET")',
    "login force_login": (
        'sign in yourself: write `with client.session() as session: session.set_user("1")`'
    ),
    "headers": "give headers to each request: client.get(path, headers={...})",
    "base_url": "give base_url to each request: client.get(path, base_url=...)",
    "application_context app_context": "no application context is needed, so remove this line",
}

# The arguments of `client.get(...)` and the other methods of the test client.
OF_CALLS = {
    "params query query_params": "the argument is called query_string",
    "body content payload": "the argument is called data, or json",
    "cookies": "write client.set_cookie(name, value) before the request",
    "files": 'give data={"file": (stream, "name.txt")}',
    "form": "the argument is called data",
    "allow_redirects": "the argument is called follow_redirects",
    "url": "the path is the first argument",
    "timeout": "the client calls the application without a network, so leave the argument out",
}

_OF_RESULTS = {
    "status_code code": "the argument is called status",
    "content body": "the body is the first argument",
    "media_type": "the argument is called mimetype",
    "status_text reason": 'write status="404 Not here"',
    "cookies": "write response.set_cookie(name, value)",
    "content_type mimetype": "return a Response, which takes mimetype",
}

STATIC = (
    "write a class of your own, `class Static(StaticFiles):`, with"
    ' `folder = Path(__file__).with_name("static")` in the class; decorate the class with'
    ' @controller("/static"), and give the class to Application(...)'
)
# The key of the remedy for arguments that have no names.
BY_POSITION = "arguments by position"
MISSING = "missing arguments"

# The arguments of a function or class that a program calls, by its name.
OF_ARGUMENTS = {
    "Response": _OF_RESULTS,
    "JSON": _OF_RESULTS,
    "HTML": _OF_RESULTS,
    "HTTPException": {
        "status_code status code": (
            "the class says the status: write `from werkzeug.exceptions import NotFound` and"
            " `raise NotFound(...)`, or call abort(404, ...)"
        ),
        "detail message msg reason": "the argument is called description",
        "headers": "raise the error with response=Response(..., headers=...)",
    },
    "redirect": {
        "code status_code": "the argument is called status",
        "url to location": "the target is the first argument",
    },
    "set_cookie": {
        "http_only": "the argument is called httponly",
        "same_site": "the argument is called samesite",
        "expires_in": "the argument is called max_age",
        "name": "the name is the first argument",
    },
    "StaticFiles": {"directory path folder html": STATIC, BY_POSITION: STATIC},
    "Templates": {
        "directory template_folder": "the argument is called folder",
        MISSING: (
            'write Templates(app, Path(__file__).with_name("templates")), and let the method take'
            " app: Application"
        ),
    },
}

# Settings of other frameworks, for the classes of settings here.
OF_HTTP = {
    "max_content_length max_body_size max_request_size request_max_size": (
        "the setting is called body_limit"
    ),
    "allowed_hosts hosts server_name": "the setting is called trusted_hosts",
    "proxies proxy_fix x_for x_proto forwarded_allow_ips": "the setting is called trusted_proxies",
    "max_form_memory_size": "the setting is called form_memory_limit",
    "max_form_parts": "the setting is called form_parts_limit",
    "hsts secure_headers": "the setting is called security_headers",
    "host port": "write app.run(host, port), or give host and port to the server",
    "debug": "write Application(..., debug=True)",
    "cors cors_config": "return a CORS in the list of middleware",
    "secret_key": "write SessionContainer(keys=[...])",
}
OF_CORS = {
    "allow_origins allowed_origins origin": "the setting is called origins",
    "allow_methods allowed_methods": "the setting is called methods",
    "allow_headers allowed_headers": "the setting is called headers",
    "expose_headers exposed_headers": "the setting is called expose",
    "allow_credentials supports_credentials": "the setting is called credentials",
    "resources": "CORS is for all paths, so leave the argument out",
}
OF_CSRF = {
    "secret secret_key key": "the token is bound to the session, so no secret is needed",
}
OF_DOCUMENTS = {
    "docs_url openapi_url url": "the setting is called path",
    "tags": "a tag is made for each controller",
}

# Properties of requests and responses that are methods in other frameworks.
PROPERTIES = (
    *("json", "text", "data", "form", "args", "files", "headers", "cookies", "status_code"),
    *("method", "path", "url", "is_json"),
)

# The remedy if a function of Werkzeug fails, because the program called it with a wrong value.
OF_LIBRARY = {
    "dump_cookie": (
        "the value of a cookie is a text, as in json.dumps(value); what the visitor must not change"
        " belongs in the session"
    ),
    "_str_header_value": (
        "a header is one line: remove the line breaks, as in ' '.join(value.splitlines())"
    ),
    "iter_multi_items": 'give headers as a dict, as in headers={"X-Name": "value"}',
    "abort": "give abort the status of an error, as in abort(404), or return a Response",
}
