"""Programs with two definitions of one name."""

HEAD = """\
import sys
from functools import wraps
from typing import overload
import framework
from framework import *

class Nobody:
    def check(self) -> bool: return False

def passing(function):
    @wraps(function)
    def passed(*args, **kwargs): return function(*args, **kwargs)
    return passed
"""

# The comment `# lost` marks the first line of each definition that is lost.
LOST = {
    "two handlers": """
        @controller("/a")
        class Pages:
            @get("/")  # lost
            def index(self) -> int: return 1
            @get("/b")
            def index(self) -> int: return 2
    """,
    "three handlers": """
        @controller("/a")
        class Pages:
            @get("/")  # lost
            def index(self) -> int: return 1
            @get("/b")  # lost
            def index(self) -> int: return 2
            @get("/c")
            def index(self) -> int: return 3
    """,
    "a handler below a decorator": """
        @controller("/a")
        class Pages:
            @passing  # lost
            @framework.get("/")
            def index(self) -> int: return 1
            @post("/")
            @passing
            def index(self) -> int: return 2
    """,
    "a handler and a plain method": """
        @controller("/a")
        class Pages:
            @get("/")
            def show(self) -> int: return 0
            @get("/i")  # lost
            @guard(Nobody)
            def index(self) -> int: return 1
            def index(self) -> int: return 2
    """,
    "a handler and a value": """
        @controller("/a")
        class Pages:
            @get("/")
            def show(self) -> int: return 0
            @get("/i")  # lost
            def index(self) -> int: return 1
            index: int = 5
    """,
    "a static handler": """
        @controller("/a")
        class Pages:
            @get("/")  # lost
            @staticmethod
            def index() -> int: return 1
            @get("/b")
            @staticmethod
            def index() -> int: return 2
    """,
    "exception handlers": """
        @controller("/a")
        class Pages:
            @get("/")
            def show(self) -> int: return 0
            @catch(KeyError)  # lost
            def failed(self) -> int: return 1
            @catch(LookupError)
            def failed(self) -> int: return 2
    """,
    "components": """
        @configuration
        class Settings:
            @component  # lost
            def text(self) -> dict[str, int]: return {}
            @component
            def text(self) -> framework.HTTPSettings: return framework.HTTPSettings()
    """,
    "hooks": """
        @configuration
        class Jobs:
            def on_start(self) -> None: ...  # lost
            def on_stop(self) -> None: ...
            def on_start(self) -> None: ...
    """,
    "constructors": """
        @service
        class Jobs:
            def __init__(self) -> None: ...  # lost
            def __init__(self, settings: HTTPSettings) -> None: ...
    """,
    "checks of a guard that is a component": """
        @component
        class Jobs:
            def check(self) -> bool: return False  # lost
            def check(self) -> bool: return True
    """,
    "a base class": """
        class Base:
            @get("/")  # lost
            def index(self) -> int: return 1
            @get("/b")
            def index(self) -> int: return 2
        @controller("/a")
        class Pages(Base): ...
    """,
    "a nested class": """
        class Site:
            @controller("/a")
            class Pages:
                @get("/")  # lost
                def index(self) -> int: return 1
                @get("/b")
                def index(self) -> int: return 2
        Pages = Site.Pages
    """,
    "a class in a function": """
        def pages():
            @controller("/a")
            class Pages:
                @get("/")  # lost
                def index(self) -> int: return 1
                @get("/b")
                def index(self) -> int: return 2
            return Pages
        Pages = pages()
    """,
    "two nested classes": """
        class Site:
            @controller("/a")  # lost
            class Pages:
                @get("/")
                def index(self) -> int: return 1
            @controller("/b")
            class Pages:
                @get("/")
                def index(self) -> int: return 2
        Pages = Site.Pages
    """,
    "two classes of a module": """
        @controller("/a")  # lost
        class Pages:
            @get("/")
            def index(self) -> int: return 1
        @controller("/b")
        class Pages:
            @get("/")
            def index(self) -> int: return 2
    """,
    "a condition that is met": """
        @controller("/a")
        class Pages:
            @get("/")  # lost
            def index(self) -> int: return 1
            if sys.version_info:
                @get("/b")
                def index(self) -> int: return 2
    """,
    "a condition before": """
        @controller("/a")
        class Pages:
            if sys.version_info:
                @get("/")  # lost
                def index(self) -> int: return 1
            @get("/b")
            def index(self) -> int: return 2
    """,
    "two of one branch": """
        @controller("/a")
        class Pages:
            try:
                @get("/")  # lost
                def index(self) -> int: return 1
            finally:
                @get("/b")
                def index(self) -> int: return 2
    """,
    "two bases": """
        class One:
            @get("/")
            def index(self) -> int: return 1
        class Other:
            @get("/b")  # lost
            def index(self) -> int: return 2
        @controller("/a")
        class Pages(One, Other): ...
    """,
    "hooks of two bases": """
        class One:
            def on_start(self) -> None: ...
        class Other:
            def on_start(self) -> None: ...  # lost
        @configuration
        class Jobs(One, Other): ...
    """,
    "an attribute of the object": """
        @controller("/a")
        class Pages:
            def __init__(self, settings: HTTPSettings) -> None:
                self.index = settings
            @get("/")  # lost
            def index(self) -> int: return 1
    """,
}

KEPT = {
    "two branches": """
        @controller("/a")
        class Pages:
            if sys.version_info:
                @get("/")
                def index(self) -> int: return 1
            else:
                @get("/b")
                def index(self) -> int: return 2
    """,
    "a condition that is not met": """
        @controller("/a")
        class Pages:
            @get("/")
            def index(self) -> int: return 1
            if not sys.version_info:
                @get("/b")
                def index(self) -> int: return 2
    """,
    "an import that fails": """
        @controller("/a")
        class Pages:
            try:
                import nothing_at_all
                @get("/")
                def index(self) -> int: return 1
            except ImportError:
                @get("/b")
                def index(self) -> int: return 2
    """,
    "cases": """
        @controller("/a")
        class Pages:
            match sys.version_info[0]:
                case 3:
                    @get("/")
                    def index(self) -> int: return 1
                case _:
                    @get("/b")
                    def index(self) -> int: return 2
    """,
    "a property with a setter, and an overload": """
        @controller("/a")
        class Pages:
            @get("/")
            def index(self) -> int: return 1
            @property
            def size(self) -> int: return 1
            @size.setter
            def size(self, size: int) -> None: ...
            @overload
            def pick(self, x: int) -> int: ...
            @overload
            def pick(self, x: str) -> str: ...
            def pick(self, x): return x
    """,
    "a name that is used before": """
        @controller("/a")
        class Pages:
            @get("/")
            def index(self) -> int: return 1
            index = passing(index)
    """,
    "a name that is removed": """
        @controller("/a")
        class Pages:
            @get("/")
            def index(self) -> int: return 1
            @get("/b")
            def old(self) -> int: return 1
            del old
    """,
    "one name in two classes": """
        @controller("/a")
        class Pages:
            @get("/")
            def index(self) -> int: return 1
            class Inner:
                def index(self) -> int: return 1
        @controller("/b")
        class Others:
            @get("/")
            def index(self) -> int: return 1
    """,
    "an override": """
        class Base:
            @get("/")
            def index(self) -> int: return 1
        @controller("/a")
        class Pages(Base):
            @get("/b")
            def index(self) -> int: return 2
    """,
    "a mixin that goes on": """
        class Mixin:
            def on_start(self) -> None: super().on_start()
        class Base:
            def on_start(self) -> None: ...
        @configuration
        class Jobs(Mixin, Base): ...
    """,
    "an override of two bases": """
        class One:
            @get("/")
            def index(self) -> int: return 1
        class Other:
            @get("/b")
            def index(self) -> int: return 2
        @controller("/a")
        class Pages(One, Other):
            @get("/c")
            def index(self) -> int: return 3
    """,
    "a method that the constructor wraps": """
        @controller("/a")
        class Pages:
            def __init__(self) -> None:
                self.index = passing(self.index)
            @get("/")
            def index(self) -> int: return 1
    """,
}
