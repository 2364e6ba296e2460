"""The API: ``create_app`` makes it over a pool of connections and a gate."""

from cloud_api.api.app import create_app

__all__ = ["create_app"]
