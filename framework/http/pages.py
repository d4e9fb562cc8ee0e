"""The HTML page of an error, in the application and in the development server."""

from markupsafe import Markup, escape

_STYLE = (
    ":root{color-scheme:light dark}"
    "body{margin:0 auto;max-width:50rem;padding:3rem 1.5rem;"
    "font:1rem/1.6 system-ui,sans-serif}"
    "p{white-space:pre-line}"
    "h1{margin:0 0 1rem;font-size:1.6rem;line-height:1.25}"
    "pre,code{font-family:ui-monospace,Menlo,monospace;font-size:.9em}"
    "pre{padding:1rem;overflow-x:auto;border-radius:.5rem;background:#8882}"
)


def error_page(title: str, content: Markup) -> str:
    """Return the HTML page with this title, and with this HTML below it."""
    title = escape(title)
    return (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n<h1>{title}</h1>\n{content}"
    )
