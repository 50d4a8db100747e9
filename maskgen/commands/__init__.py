"""The commands, one per file. A command parses its options, calls the library and prints the result.

Each module defines one `click` command or group named ``command``, and imports heavy packages inside it, so
that ``maskgen --help`` stays fast. `maskgen.cli.COMMANDS` lists them.
"""
