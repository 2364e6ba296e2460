"""Pages for people: ``mount`` adds them to the app that serves the API."""

from cloud_api.pages.mounting import mount

__all__ = ["mount"]
