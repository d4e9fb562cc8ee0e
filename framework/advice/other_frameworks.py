"""Names of other frameworks, and what to write instead in this framework.

A user who knows another framework tries its names first. Each message says what to write instead.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec

from framework.report import did_you_mean
from sessions.public_names import is_imported, place_of

# What an import of a name from `framework` says: the names, and the remedy.
_IMPORTS = {
    "Flask FastAPI Litestar Bottle Starlette Quart Sanic Falcon App Api": (
        "write app = Application(Users), where Users is a class decorated with @controller"
    ),
    "Blueprint APIRouter Router Controller RestController Resource MethodView APIView View": (
        'decorate a class with @controller("/prefix")'
    ),
    "route RequestMapping GetMapping PostMapping api_view path re_path": (
        'decorate a method with @get("/"), @post("/") or another verb'
    ),
    "jsonify JSONResponse JsonResponse ORJSONResponse JSON json": (
        "return the dict, list or dataclass from the handler; it is sent as JSON. For headers or a"
        " status of your own, write `from framework.results import JSON`"
    ),
    "HTMLResponse HTML": "write `from framework.results import HTML`",
    "PlainTextResponse HttpResponse make_response ResponseEntity": (
        "return a text, or Response(text, status, headers); for a page, write"
        " `from framework.results import HTML`"
    ),
    "StreamingResponse StreamingHttpResponse Stream stream_with_context": (
        "return a generator; its chunks are sent one by one"
    ),
    "FileResponse File send_file send_from_directory static_file": (
        "return werkzeug.utils.send_file(path, request.environ); for a whole folder, write"
        " `from framework.static import StaticFiles`"
    ),
    "StaticFiles": "write `from framework.static import StaticFiles`",
    "HTTPException abort HTTPError NotFound Forbidden Unauthorized BadRequest Http404": (
        "write `from werkzeug.exceptions import NotFound`, and `raise NotFound(...)`"
    ),
    "redirect RedirectResponse Redirect HttpResponseRedirect": (
        "write `from framework.redirects import redirect`"
    ),
    "render_template render TemplateResponse Template Templates Jinja2Templates template": (
        "write `from framework.templates import Templates`"
    ),
    "url_for reverse": ("let the constructor take app: Application, and call app.url_for(...)"),
    "request Req HttpRequest": "let the handler take the parameter request: Request",
    "response Res": "return a Response from the handler",
    "g current_app": (
        "let the constructor or the handler take what it needs as a parameter; a component with"
        ' scope="request" belongs to one request'
    ),
    "flash get_flashed_messages": (
        "let the handler take the session, and call session.flash(...) and session.take_flashes()"
    ),
    "Depends Provide Injectable Autowired inject Dependency Security": (
        "write Inject[...] for a component, or Annotated[T, SomeResolver] for a value that a"
        " class makes in each request"
    ),
    "Bean Module Component Service Repository Configuration singleton": (
        "write the decorators @component, @service, @repository and @configuration in lower case"
    ),
    "WebSocket websocket WebSocketRoute SocketIO": (
        "WebSockets are not supported; serve WebSockets by a separate ASGI application that uses"
        " the same sessions with sessions.asgi"
    ),
    "Path Param PathVariable PathParam": (
        'put the variable into the path, as in @get("/<int:user_id>"), and give a parameter the'
        " same name"
    ),
    "QueryParam RequestParam": "write Query[int], or a simple type without a marker, such as int",
    "RequestBody": "write Body[T]",
    "UploadFile FileStorage MultipartFile": (
        "write `from werkzeug.datastructures import FileStorage`, and let the handler take a"
        " FileStorage"
    ),
    "BackgroundTasks BackgroundTask": (
        "use a queue, or start a thread in the method on_start of a @configuration, because"
        " background tasks are not supported"
    ),
    "TestClient": "write `with app.test() as client:`",
    "Client": (
        "write `with app.test() as client:`; for the type of the client, write"
        " `from framework.testing import Client`"
    ),
    "CORS CORSMiddleware cross_origin": "write `from framework.cors import CORS`",
    "CSRF CSRFProtect csrf_exempt csrf_protect": "write `from framework.csrf import CSRF`",
    "OpenAPI": "write `from framework.openapi import OpenAPI`",
    "Guard UseGuards login_required permission_required PreAuthorize": (
        "decorate with @guard(LoggedIn), where LoggedIn is a class with the method check"
    ),
    "errorhandler exception_handler error_handler ExceptionHandler ExceptionFilter": (
        "decorate a method with @catch(SomeError)"
    ),
    "before_request after_request HttpMiddleware BaseHTTPMiddleware": (
        "write middleware as a function (request: Request, next: Next) -> Response"
    ),
    "RequestValidationError ValidationError InvalidRequest": (
        "write `from framework.validation import InvalidRequest`"
    ),
    "BaseModel Serializer Schema": (
        "write a dataclass or a msgspec.Struct; pydantic's BaseModel comes from pydantic"
    ),
    "Field Meta": "write Annotated[int, query(ge=1)], or Annotated[int, msgspec.Meta(ge=1)]",
    "Settings Config BaseSettings Environment": (
        "write a dataclass, and return it from a @component method of a @configuration"
    ),
    "run serve listen": "write app.run(), or use the command: framework run",
}

_STATIC = (
    "write `from framework.static import StaticFiles` and `class Static(StaticFiles):`, with"
    ' `folder = ...` in the class; decorate the class with @controller("/static"), and give the'
    " class to Application(...)"
)
_MIDDLEWARE = (
    "in a @configuration, return the middleware from a @component method annotated"
    " `-> list[Middleware]`"
)
_START = "write the methods on_start and on_stop in a @configuration"

# What an attribute of the application says.
OF_APPLICATIONS = {
    "route get post put patch delete head options api_route add_url_rule add_route add_routes"
    " add_api_route add_view add_resource register_route route_handler endpoint handle": (
        'decorate a method of a @controller class with @get("/"), @post("/") or another verb, and'
        " give the class to Application(...)"
    ),
    "include include_router include_routers include_routes register_blueprint register_blueprints"
    " register add add_controller add_controllers register_controller controllers add_router"
    " install": "give the classes to Application(Users, Orders)",
    "mount": (
        "give the classes to Application(Users, Orders); for files, decorate a subclass of"
        " StaticFiles with @controller; to serve another WSGI application below a prefix, use"
        " werkzeug's DispatcherMiddleware"
    ),
    "static static_folder static_url_path static_files add_static serve_static mount_static"
    " send_static_file": _STATIC,
    "add_middleware middleware_stack user_middleware use before_request after_request"
    " teardown_request before_first_request teardown_appcontext": _MIDDLEWARE,
    "cors enable_cors enableCors": (
        "in a @configuration, return [CORS(origins=[...])] from a @component method annotated"
        " `-> list[Middleware]`, and write `from framework.cors import CORS`"
    ),
    "use_global_guards useGlobalGuards": "decorate a @configuration with @guard(LoggedIn)",
    "use_global_pipes useGlobalPipes": (
        "annotate the parameters of the handler: start-up makes the validation from the types"
    ),
    "set_global_prefix setGlobalPrefix url_prefix root_path": (
        'write the prefix into the path of each controller, as in @controller("/api/users")'
    ),
    "errorhandler exception exception_handler exception_handlers add_exception_handler"
    " register_error_handler register_exception_handler useGlobalFilters use_global_filters": (
        "decorate a method of a controller or a configuration with @catch(SomeError)"
    ),
    "config secret_key permanent_session_lifetime session_interface settings": (
        "return a SessionContainer, HTTPSettings or a class of your own settings from a @component"
        " method of a @configuration"
    ),
    "provide provider providers bind add_singleton add_transient add_scoped register_service"
    " services container injector resolve dependencies": (
        "decorate the class with @component, give it to Application(...), and let a constructor"
        " ask for it by its type"
    ),
    "dependency_overrides override": "write app.test(replace(Mailer).to(fake))",
    "get_url": "write app.url_for(...)",
    "on_event on_startup on_shutdown lifespan add_event_handler on_cleanup cleanup_ctx": _START,
    "test_client client test_request_context test_cli_runner TestClient": (
        "write `with app.test() as client:`"
    ),
    "listen serve run_server run_async": "write app.run(), or use the command: framework run",
    "url_path_for reverse": "write app.url_for(...)",
    "url_map view_functions iter_rules route_map": (
        "write app.routes, or use the command: framework routes"
    ),
    "logger": "write logging.getLogger(__name__)",
    "state extensions g": (
        "write a class that holds the value, decorate the class with @component, and let a"
        " constructor take the component by its type"
    ),
    "app_context request_context push": "no context is needed, so remove this line",
    "jinja_env jinja_options template_filter template_global add_template_filter"
    " context_processor template_folder": (
        "return a Templates from a @component method of a @configuration, and write"
        " `from framework.templates import Templates`"
    ),
    "openapi docs swagger openapi_schema": (
        "return an OpenAPI from a @component method of a @configuration, and write"
        " `from framework.openapi import OpenAPI`"
    ),
    "cli command shell_context_processor": (
        "write a program of your own that imports the application; for a console, use the command:"
        " framework shell"
    ),
    "wsgi_app wsgi": "the application itself is the WSGI callable: give the server app:app",
    "asgi asgi_app": (
        "the application is for WSGI: give app:app to gunicorn, or to uvicorn --interface wsgi"
    ),
}


_PARTS = (
    "write handlers, components and settings in classes that you give to Application(...). The"
    " application itself has run, test, url_for, routes, debug, start and stop."
)


def refusing(module: str) -> Callable[[str], object]:
    """Return a module's `__getattr__`; its error says what to write instead of an unknown name."""

    def refuse(name: str) -> object:
        if module == "framework":
            advice = advice_on_import(name, vars(sys.modules[module])["__all__"])
        else:
            remedy = remedy_for_import(name)
            advice = remedy and f"{module} has no {name}. Fix: {remedy}."
        if advice and is_imported():
            raise ImportError(advice, name=module)
        raise AttributeError(advice or f"module {module!r} has no attribute {name!r}")

    return refuse


def advice_on_import(name: str, public: Sequence[str]) -> str | None:
    """Return what to write in place of a name that `framework` lacks; None if unknown."""
    remedy = remedy_in(_IMPORTS, name) or place_of(name, beside="framework")
    if remedy is not None:
        return f"framework has no {name}. Fix: {remedy}."
    guess = did_you_mean(name, public)
    # A module that is not imported yet is not a misspelt name.
    if not guess or find_spec(f"framework.{name}") is not None:
        return None
    return f"framework has no {name}{guess}"


def told_of(what: str, name: str, table: Mapping[str, str]) -> str:
    """Return the message about a missing attribute, with what to write instead, if known."""
    remedy = remedy_in(table, name)
    return f"{what} has no attribute {name!r}" + (f". Fix: {remedy}." if remedy else "")


def advice_on_attribute(name: str, public: Sequence[str]) -> str:
    """Return what to write in place of an attribute that an application does not have."""
    what = f"an Application has no attribute {name!r}"
    remedy = remedy_in(OF_APPLICATIONS, name) or remedy_for_import(name)
    if remedy is not None:
        return f"{what}. Fix: {remedy}."
    guess = did_you_mean(name, public)
    return what + (guess or f". Fix: {_PARTS}")


def is_of_another_framework(name: str) -> bool:
    """Return whether other frameworks have this attribute of an application."""
    return remedy_in(OF_APPLICATIONS, name) is not None


def remedy_for_import(name: str) -> str | None:
    """Return how to import a name, or what to write in place of it; None if it is unknown."""
    if name in vars(sys.modules["framework"]).get("__all__", ()):
        return f"write `from framework import {name}`"
    return remedy_in(_IMPORTS, name) or place_of(name)


def remedy_in(table: Mapping[str, str], name: str) -> str | None:
    """Return the remedy for a name, or None; a key of the table is a text of one or more names."""
    return next((remedy for names, remedy in table.items() if name in names.split()), None)
