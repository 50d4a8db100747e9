"""What goes wrong inside of a real process: a ``sitecustomize`` that Python imports before all else."""

FATAL = '''
import ctypes, importlib.abc, importlib.util, os, signal, sys

class Saboteur(importlib.abc.MetaPathFinder):
    """Ends any process that looks for the face in one image."""

    def find_spec(self, name, path, target=None):
        if name != "maskgen.run.pipeline":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            find = module._choose_faces

            def fatal(sample, *rest):
                if sample.id == os.environ.get("FATAL_PICTURE"):
                    if "FATAL_HANG" in os.environ:
                        # Of the C library, called with Python's lock held or let go.
                        (ctypes.PyDLL if os.environ["FATAL_HANG"] == "locked" else ctypes.CDLL)(None).pause()
                    os.kill(os.getpid(), int(os.environ["FATAL_SIGNAL"]))
                return find(sample, *rest)

            module._choose_faces = fatal

        spec.loader.exec_module = exec_module
        return spec

sys.meta_path.insert(0, Saboteur())
'''

CLOCK = """
import itertools, time

start, ticks = time.time(), itertools.count()
# Ten years ago, and at every look an hour earlier.
time.time = lambda: start - 10 * 365 * 86400 - 3600 * next(ticks)
time.time_ns = lambda: int(time.time() * 1e9)
"""


def sabotage(folder, program):
    """A folder to put first on PYTHONPATH."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(program)
    return folder
