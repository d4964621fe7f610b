"""HTTP to and from the engine; a route translates and does nothing else."""

from endcap.serve.app import listen, make_app, serve

__all__ = ["listen", "make_app", "serve"]
