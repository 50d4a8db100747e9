"""Draw every random choice for one masked face; all later steps are pure functions."""

from collections.abc import Sequence

from maskgen.masking.hash_random import draw_bits, draw_unit, draw_units, draw_weighted
from maskgen.masking.materials.prints import MOTIFS
from maskgen.options import SynthOptions
from maskgen.records import Hang, Plan

# How worn masks hang in photographs: lower and smaller than the fit on average, and variously. Mean of the
# lift and the size, then the largest deviations from the means; `Hang` has the units.
_MEAN_LIFT, _MEAN_SIZE = -0.06, 0.94
_LIFT, _TILT, _SIZE, _SLACK = 0.13, 4.0, 0.09, 0.02
_CLOSE = 0.17  # factor of the deviations of a further attempt
_REAL_PRINTS = tuple(name for name in MOTIFS if name != "noise")  # those that ``random`` draws from


def plan(options: SynthOptions, sample_id: str, variant: int, face: int = 0) -> Plan:
    """Draw every random choice for one face from (seed, sample id, variant, face) only.

    The attributes of the sample are not read, so no choice correlates with one except by chance.
    """
    key = (sample_id, variant, face)
    template = draw_weighted(options.templates, options.seed, *key, "template")
    wear = draw_weighted(options.wears, options.seed, *key, "wear")
    color = pattern = None
    if options.colors:
        color = _one_of(options.colors, options.seed, *key, "color")
        if color == "random":
            color = f"#{draw_bits(options.seed, *key, 'random color') & 0xFFFFFF:06x}"
    if options.patterns:
        pattern = _one_of(options.patterns, options.seed, *key, "pattern")
        if pattern == "random":
            pattern = _one_of(_REAL_PRINTS, options.seed, *key, "random pattern")
    if options.blend == "flatten":
        template, color, pattern = "", None, None
    seed = draw_bits(options.seed, *key, "seed")
    hang = draw_hang(seed, 0) if options.jitter else Hang()
    return Plan(template, wear, color, pattern, seed, hang)


def draw_hang(seed: int, attempt: int) -> Hang:
    """Draw the hang of a mask, in the range seen in photographs of worn masks.

    A mask whose coverage contradicts its wear is drawn again, now close to its fit.
    """
    units = draw_units(7, seed, attempt, "hang")
    # The sum of two draws: most masks sit nearly as they fit.
    lift, tilt, size = (units[n] + units[n + 1] - 1 for n in (0, 2, 4))
    mean_lift, mean_size, share = (0.0, 1.0, _CLOSE) if attempt else (_MEAN_LIFT, _MEAN_SIZE, 1.0)
    return Hang(
        lift=mean_lift + share * _LIFT * lift,
        tilt=share * _TILT * tilt,
        size=mean_size + share * _SIZE * size,
        slack=share * _SLACK * units[6],
    )


def _one_of(values: Sequence[str], seed: int, *names: str | int) -> str:
    return values[int(draw_unit(seed, *names) * len(values))]
