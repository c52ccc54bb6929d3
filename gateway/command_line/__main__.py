"""`python -m gateway.command_line` is `perdure`."""

from gateway.command_line import main

main()
