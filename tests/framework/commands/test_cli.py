"""The commands: how they find the application, and their output."""

import json
import os
from pathlib import Path

import pytest

from sessions import SessionContainer
from tests.support.commands import Framework
from tests.support.commands_page import PAGE, written

SHOP = """
from framework import Application, controller, get, post

@controller("/orders")
class Orders:
    @get("/<int:order_id>")
    def show(self, order_id: int) -> int:
        return order_id

    @post("/")
    def create(self) -> None: ...

app = Application(Orders)
"""


def test_routes_are_a_table(framework: Framework) -> None:
    """Each route has a line with method, path, handler, file and line."""
    Path("app.py").write_text(SHOP)
    result = framework("routes")

    assert result.output.splitlines() == [
        "METHOD  PATH                    HANDLER",
        "POST    /orders                 Orders.create (app.py:10)",
        "GET     /orders/<int:order_id>  Orders.show (app.py:6)",
    ]


def test_routes_are_json_for_programs(framework: Framework) -> None:
    """`--json` prints the same facts."""
    Path("app.py").write_text(SHOP)
    result = framework("routes", "--json")

    assert json.loads(result.output)[1] == {
        "method": "GET",
        "path": "/orders/<int:order_id>",
        "handler": "Orders.show (app.py:6)",
    }


def test_a_secret_is_fit_for_a_key(framework: Framework) -> None:
    """Each call prints a new key that a session container accepts."""
    keys = [framework("secret").output.strip() for _ in range(2)]

    assert keys[0] != keys[1]
    assert SessionContainer(keys=keys)


def test_pyproject_names_the_application(framework: Framework) -> None:
    """`app` under [tool.framework] comes before app.py."""
    Path("app.py").write_text("raise RuntimeError")
    Path("shop.py").write_text(SHOP)
    Path("pyproject.toml").write_text('[tool.framework]\napp = "shop:app"')

    assert "Orders.show (shop.py:6)" in framework("routes").output


def test_the_command_line_names_the_application(framework: Framework) -> None:
    """An argument comes before everything else; `:app` may be left out."""
    Path("shop.py").write_text(SHOP)
    Path("pyproject.toml").write_text('[tool.framework]\napp = "other:app"')

    assert "Orders.show (shop.py:6)" in framework("routes", "shop").output


def test_the_list_of_commands_has_whole_sentences(framework: Framework) -> None:
    """No sentence is cut off at the end of its line."""
    output = framework("--help").output

    assert "..." not in output.partition("COMMAND [ARGS]...")[2]
    assert "explain   Show how a request would be answered, and why.\n" in output


def test_no_application_is_named(framework: Framework, tmp_path: Path) -> None:
    """In an empty folder, the message says what was searched for and what to do."""
    result = framework("routes")

    assert result.exit_code == 1
    assert result.output == (
        f"Error: No application is named, and {tmp_path} contains neither app.py nor a"
        " pyproject.toml"
        " with `app` under [tool.framework]. Fix: name the application as the last argument,"
        ' such as shop.app:app, or put `app = "shop.app:app"` under [tool.framework].\n'
    )


def test_a_folder_above_names_the_application(framework: Framework, tmp_path: Path) -> None:
    """In a subfolder, the message names the project; a broken file above does no harm."""
    Path("pyproject.toml").write_text('[tool.framework]\napp = "shop:app"')
    (tmp_path / "shop" / "pages").mkdir(parents=True)
    (tmp_path / "shop" / "pyproject.toml").write_text("[")
    os.chdir(tmp_path / "shop" / "pages")

    output = framework("routes").output

    assert output.endswith(f"Fix: go to {tmp_path}, whose pyproject.toml names an application.\n")


FACTORY = SHOP.replace("app = Application", "def create_app():\n    return Application")


def test_a_function_may_make_the_application(framework: Framework) -> None:
    """The command calls the function, as a server would."""
    Path("shop.py").write_text(FACTORY)

    assert "Orders.show (shop.py:6)" in framework("routes", "shop:create_app").output


@pytest.mark.parametrize(
    "source",
    [
        f"{FACTORY}\nfrom functools import cache\ncreate_app = cache(create_app)",
        f"{FACTORY}\nfrom functools import partial\ncreate_app = partial(create_app)",
        f"{FACTORY}\nclass Factory:\n    def __call__(self): return Application(Orders)\n"
        "create_app = Factory()",
    ],
)
def test_any_callable_may_make_the_application(framework: Framework, source: str) -> None:
    """A decorated function, a partial function and an object also work."""
    Path("shop.py").write_text(source)

    assert "Orders.show (shop.py:" in framework("routes", "shop:create_app").output


def test_a_class_makes_no_application(framework: Framework) -> None:
    """A call of a class would only make an object of the class."""
    Path("shop.py").write_text("from framework import Application\nlargest = max")

    assert framework("routes", "shop:Application").output == (
        "Error: shop:Application is <class 'framework.application.Application'>, which is not an"
        " Application."
        " Fix: make one with Application(...).\n"
    )


def test_an_installed_module_is_found_beside_a_folder_of_its_name(
    framework: Framework, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An example is the folder above a checkout."""
    package = tmp_path / "shop" / "src" / "shop"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "web.py").write_text(SHOP)
    monkeypatch.syspath_prepend(package.parent)

    assert "Orders.show (" in framework("routes", "shop.web:app").output
    assert framework("routes", "shop.wbe:app").output == (
        f"Error: The command line names the module 'shop.wbe', but {tmp_path} holds no shop/wbe.py."
        " Fix: correct the name, or go to the folder of the module.\n"
    )


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            FACTORY.replace("create_app()", "create_app(stage: str)"),
            "shop:create_app takes (stage: str), but is called without arguments. Fix: give all"
            " parameters defaults.",
        ),
        (
            FACTORY.replace("return Application(Orders)", "Application(Orders)"),
            "shop:create_app returned None, which is not an Application. Fix: make one with"
            " Application(...).",
        ),
        (
            FACTORY.replace("create_app()", "make() -> Application"),
            "shop:create_app does not exist. Fix: name shop:make instead.",
        ),
    ],
)
def test_a_function_that_makes_no_application(
    framework: Framework, source: str, message: str
) -> None:
    """The message says what is wrong, and suggests another name."""
    Path("shop.py").write_text(source)

    assert framework("routes", "shop:create_app").output == f"Error: {message}\n"


@pytest.mark.parametrize("command", ["check", "routes"])
def test_a_module_that_cannot_be_imported_is_named(framework: Framework, command: str) -> None:
    """The traceback follows."""
    Path("app.py").write_text("import json\ndef (:\n")
    output = framework(command).output

    assert "app:app cannot be imported:\n\n  File " in output
    assert "SyntaxError: invalid syntax" in output


def test_a_path_in_place_of_a_module_is_explained(framework: Framework) -> None:
    """For a path, the message suggests the name of the module."""
    result = framework("run", "shop/app.py")

    assert result.output == (
        "Error: The command line names the application as 'shop/app.py'. "
        "Fix: write module:name, such as shop.app:app.\n"
    )


@pytest.mark.parametrize("command", ["run", "routes"])
def test_a_module_that_is_not_there(framework: Framework, tmp_path: Path, command: str) -> None:
    """A misspelt module ends the command at once, before any server or reloader starts."""
    result = framework(command, "shpo:app")

    assert result.exit_code == 1
    assert result.output == (
        f"Error: The command line names the module 'shpo', but {tmp_path} holds no shpo.py. "
        "Fix: correct the name, or go to the folder of the module.\n"
    )


def test_a_name_that_is_not_there(framework: Framework) -> None:
    """For a misspelt name, the message suggests the application of the module."""
    Path("shop.py").write_text(SHOP)
    result = framework("routes", "shop:application")

    assert result.output == "Error: shop:application does not exist. Fix: name shop:app instead.\n"


def test_a_name_of_another_object_is_explained(framework: Framework) -> None:
    """The message shows the object with this name."""
    Path("shop.py").write_text("app = 42")
    result = framework("routes", "shop")

    assert result.output == (
        "Error: shop:app is 42, which is not an Application. Fix: make one with Application(...).\n"
    )


def test_a_pyproject_that_cannot_be_read(framework: Framework) -> None:
    """The message names the place of the broken TOML."""
    Path("pyproject.toml").write_text("[tool.framework\n")
    result = framework("routes")

    assert result.output.startswith("Error: pyproject.toml is not valid TOML:")
    assert "line 1" in result.output


def test_a_startup_problem_is_reported(framework: Framework) -> None:
    """The commands print the report itself, and no traceback."""
    Path("app.py").write_text(SHOP.replace("order_id: int)", "number: int)"))
    result = framework("routes")

    assert result.exit_code == 1
    assert "Orders.show (app.py:6)" in result.output
    assert "Traceback" not in result.output


def test_an_error_of_the_user_begins_in_the_users_file(framework: Framework) -> None:
    """A module that raises is shown with its own frames only."""
    Path("app.py").write_text("def start():\n    raise OSError('no shop')\n\nstart()\n")
    result = framework("routes")

    files = [line for line in result.output.splitlines() if line.startswith("  File ")]
    assert len(files) == 2
    assert all("app.py" in line for line in files)
    assert result.output.endswith("OSError: no shop\n")


def test_the_page_shows_what_the_commands_print(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The output of each `$ framework …` on the page is the real output."""
    page = PAGE.read_text(encoding="utf-8")

    assert written(page, tmp_path, monkeypatch) == page
    assert page.count("$ framework ") > 3


def test_a_misspelt_app_in_pyproject_is_reported(framework: Framework) -> None:
    """The misspelt name is in pyproject.toml."""
    Path("pyproject.toml").write_text('[tool.framework]\nap = "shop:app"\n')

    assert framework("routes").output == (
        "Error: pyproject.toml has 'ap' under [tool.framework]. Fix: write app in place of ap.\n"
    )


def test_an_app_in_pyproject_that_is_not_a_text_is_reported(framework: Framework) -> None:
    """A number cannot name a module."""
    Path("pyproject.toml").write_text("[tool.framework]\napp = 5\n")

    assert framework("routes").output == (
        "Error: pyproject.toml has app = 5 under [tool.framework], which is not a text."
        ' Fix: write app = "shop:app".\n'
    )


def test_a_suggested_application_is_always_accepted(framework: Framework) -> None:
    """An attribute of an attribute is not proposed as an application."""
    assert framework("routes", "app:app.test").output == (
        "Error: The command line names the application as 'app:app.test'. Fix: write module:name,"
        " such"
        " as app:app.\n"
    )


def test_a_port_that_is_not_a_number_is_reported(framework: Framework) -> None:
    """The message uses plain words, not the type names of click."""
    assert "'x' is not a valid port number." in framework("run", "--port", "x").output
