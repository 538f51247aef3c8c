"""The proxy and its compressors on the machines of a Ray cluster (extra `laconic[ray]`).

Importing this package doesn't import Ray; its modules do.
"""
