"""The commands, a file each: a command parses, calls the library and prints, and holds no logic of its own.

Each module has one `click` command or group called ``command``, and imports what is heavy inside it.
"""
