"""Say which packages the distribution `satsuma` has; it has no package of its own name."""

raise ImportError(
    "the distribution satsuma is imported as framework and sessions."
    " Fix: write `from framework import Application, controller, get`, or"
    " `from sessions import SessionContainer`."
)
