"""`maskgen apply`: one image in, one image out."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from maskgen.commands.shared.parameters import ANY_FILE, config_option, verbose_option
from maskgen.commands.shared.synth_options import landmark_options, mask_options, synth_options
from maskgen.files.remote import is_remote
from maskgen.files.suffixes import SUFFIXES

# What the name of OUT says of its format; any other keeps the source's.
_FORMATS = {suffix: name.lower() for name in ("JPEG", "PNG", "WEBP") for suffix in SUFFIXES[name]}


@click.command(name="apply")
@click.argument("source", metavar="IN", type=ANY_FILE)
@click.argument("target", metavar="OUT", type=ANY_FILE)
@mask_options
@landmark_options
@click.option("--json", "as_json", is_flag=True, help="Print what a manifest would say of it on stdout.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
@verbose_option
@config_option
def command(
    source: Path,
    target: Path,
    landmark_model: Path | None,
    as_json: bool,
    quiet: bool,
    **given: Any,
) -> None:
    """Mask one image.

    IN and OUT are files, URLs, or - for stdin and stdout. OUT's format is that of its name. Where no face is
    found, no file is written, or the image goes to stdout unchanged; the exit code is 0 either way.

    \b
    maskgen apply in.jpg out.jpg --blend poisson --template n95
    maskgen apply - - < in.jpg > out.jpg
    """  # noqa: D301
    to_stdout = str(target) == "-"
    if to_stdout and as_json:
        raise click.UsageError("--json and the image cannot both go to stdout: give OUT a name")
    if not to_stdout and _same_file(source, target):
        raise click.UsageError(f"OUT is IN: {target} would be overwritten")
    from maskgen.files.atomic import write_atomic
    from maskgen.landmarks import LandmarkerSpec, open_landmarker
    from maskgen.run.single import mask_picture

    if given["format"] == "source" and not to_stdout:
        given["format"] = _FORMATS.get(target.suffix.lower(), "source")
    options = synth_options("", None, **given)
    data = _read(source)
    spec = LandmarkerSpec(model=options.landmarks, model_path=landmark_model, detector=options.detector)
    with closing(open_landmarker(spec)) as landmarker:
        picture = mask_picture(data, source.name, options, landmarker, None if to_stdout else str(target))
    if to_stdout:
        sys.stdout.buffer.write(data if picture.data is None else picture.data)
    elif picture.data is not None:
        write_atomic(target, picture.data)
    if as_json:
        click.echo(picture.to_json())
    if not quiet and not picture:
        done = "passed on unchanged" if to_stdout else "nothing written"
        click.echo(f"maskgen: {source}: {picture.row.status}: {picture.row.reason}; {done}", err=True)


def _read(source: Path) -> bytes:
    from maskgen.errors import MissingDataError

    if str(source) == "-":
        return sys.stdin.buffer.read()
    try:
        return source.read_bytes()
    except OSError as error:
        raise MissingDataError(f"{source}: {error.strerror or 'cannot be read'}") from error


def _same_file(source: Path, target: Path) -> bool:
    if is_remote(source) or is_remote(target):
        return source == target
    return target.exists() and source.exists() and target.samefile(source)
