# samples/visits/app.py: hello world with a session. No configuration is needed to run it.
from framework import Application, controller, get, session


@controller("/")
class Visits:
    @get("/")
    def show(self, session: session) -> dict[str, int]:
        session["visits"] = session.get("visits", 0) + 1
        return {"visits": session["visits"]}


app = Application(Visits)  # a plain WSGI callable: gunicorn samples.visits.app:app

if __name__ == "__main__":
    app.run()  # the development server: reloader, debugger
