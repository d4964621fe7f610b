"""HTTP to and from the engine; a route translates and does nothing else."""

from endcap.serve.app import check_host, listen, make_app, serve

__all__ = ["check_host", "listen", "make_app", "serve"]
