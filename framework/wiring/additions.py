"""What a component does that adds a controller to the application it belongs to."""

from abc import ABC, abstractmethod


class Addition(ABC):
    """Add a controller whose path, or whatever else it depends on, a configuration has chosen.

    A configuration adds it with a component method that returns it.
    """

    @abstractmethod
    def controller(self) -> type:
        """Return the class, decorated with @controller and @component, a new one each time."""
