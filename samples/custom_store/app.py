# samples/custom_store/app.py: count visits in sessions that are stored in files.
from framework import Application, component, configuration, controller, get, session
from samples.custom_store.files import FileStore
from sessions import SessionContainer


@configuration
class Sessions:
    @component
    def session_container(self) -> SessionContainer:
        return SessionContainer(
            # An example: the key of a real application is secret, random and outside of the code.
            keys=["a secret of 32 characters or more"],
            store=FileStore(".framework/sessions"),
        )


@controller("/")
class Visits:
    @get("/")
    def show(self, session: session) -> dict[str, int]:
        session["visits"] = session.get("visits", 0) + 1
        return {"visits": session["visits"]}


app = Application(Visits, Sessions)

if __name__ == "__main__":
    app.run()
