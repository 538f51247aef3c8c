"""`python -m proxy.cli` is `laconic`."""

from proxy.cli import main

main(prog_name="laconic")
