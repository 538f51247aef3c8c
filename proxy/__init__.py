"""The way through: sockets, upstreams, stores, metrics and the command line."""
