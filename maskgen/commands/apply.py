"""`maskgen apply`: mask a single image."""

import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from maskgen.commands.shared import parameters
from maskgen.commands.shared.help_sections import SectionedCommand
from maskgen.commands.shared.synth_options import landmark_options, mask_options, synth_options
from maskgen.files.remote import is_remote
from maskgen.files.suffixes import SUFFIXES

# Suffix of OUT -> --format; other suffixes keep the format of IN.
_FORMATS = {suffix: name.lower() for name in ("JPEG", "PNG", "WEBP") for suffix in SUFFIXES[name]}


# What `--help` shows.
SECTIONS = {
    "Masks": {
        "--template": "street, all, a name or kind; see `maskgen templates`  [default: street]",
        "--wear": "correct, nose-out, mouth-out or chin  [default: correct]",
        "--blend": "overlay or poisson (takes on the face's light)  [default: overlay]",
        "--color": "recolour: #rrggbb, a name or random",
        "--faces": "largest, all or center  [default: largest]",
        "--seed": "of all random choices; the file's name is one too  [default: 0]",
    },
    "Output": {
        "--format": "source, jpeg, png or webp  [default: by OUT's suffix]",
        "--quality": "of JPEG or WebP  [default: the source's]",
        "--json": "print the image's manifest row on stdout",
        "--quiet": "print only errors",
    },
}


@click.command(name="apply", cls=SectionedCommand, sections=SECTIONS)
@click.argument("source", metavar="IN", type=parameters.ANY_FILE)
@click.argument("target", metavar="OUT", type=parameters.ANY_FILE)
@mask_options
@landmark_options
@click.option("--json", "as_json", is_flag=True, help="Print the image's manifest row as JSON on stdout.")
@parameters.message_options
@parameters.config_option
def command(
    source: Path, target: Path, landmark_model: Path | None, as_json: bool, quiet: bool, **given: Any
) -> None:
    """Mask one image.

    IN and OUT are files, URLs, or - for stdin and stdout. The suffix of OUT sets its format. If no face is
    found, OUT is not written, or, on stdout, is IN unchanged; the exit code is 0 either way.

    \b
    maskgen apply in.jpg out.jpg --blend poisson --template n95
    maskgen apply - - < in.jpg > out.jpg
    """  # noqa: D301
    to_stdout = str(target) == "-"
    if to_stdout and as_json:
        raise click.UsageError("--json and the image cannot both go to stdout: name a file as OUT")
    if is_remote(source) or is_remote(target):
        same_file = source == target
    else:
        same_file = target.exists() and source.exists() and target.samefile(source)
    if same_file and not to_stdout:
        raise click.UsageError(f"OUT is IN: {target} would be overwritten")
    from maskgen.files.atomic import write_atomic
    from maskgen.landmarks import LandmarkerSpec, open_landmarker
    from maskgen.run.single import mask_picture

    if given["format"] == "source" and not to_stdout:
        given["format"] = _FORMATS.get(target.suffix.lower(), "source")
    options = synth_options("", None, landmarks=given.pop("engine"), **given)
    data = parameters.read_input(source)
    spec = LandmarkerSpec(model=options.landmarks, model_path=landmark_model, detector=options.detector)
    with closing(open_landmarker(spec)) as landmarker:
        masked = mask_picture(data, source.name, options, landmarker, None if to_stdout else str(target))
    if to_stdout:
        sys.stdout.buffer.write(data if masked.data is None else masked.data)
    elif masked.data is not None:
        write_atomic(target, masked.data)
    if as_json:
        click.echo(masked.to_json())
    if not masked and not quiet:
        outcome = "passed on unchanged" if to_stdout else "nothing written"
        click.echo(f"maskgen: {source}: {masked.row.status}: {masked.row.reason}; {outcome}", err=True)
