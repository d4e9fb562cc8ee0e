"""Find controllers that are not served, in modules that also have a served controller."""

import sys

from framework.application import Application
from framework.decorators import is_controller
from framework.report import location


def left_out(application: Application) -> list[str]:
    """List the places of unserved controllers in modules that also have a served controller.

    A class from which a served controller inherits is not listed.
    """
    served = [route.controller for route in application.routes]
    known = {base for controller in served for base in controller.__mro__}
    names = dict.fromkeys(controller.__module__ for controller in served)
    modules = [vars(sys.modules[name]) for name in names if name in sys.modules]
    return [
        location(value)
        for members in modules
        for value in tuple(members.values())
        if isinstance(value, type) and value.__module__ in names
        if is_controller(value) and value not in known
    ]
