"""Hello world with a session. No configuration is needed to run it."""

from framework import Application, controller, get, session


@controller("/")
class Visits:
    """Count the visits of one browser."""

    @get("/")
    def show(self, session: session) -> dict[str, int]:
        """Add one visit and answer how many there were."""
        session["visits"] = session.get("visits", 0) + 1
        return {"visits": session["visits"]}


app = Application(Visits)

if __name__ == "__main__":
    app.run()
