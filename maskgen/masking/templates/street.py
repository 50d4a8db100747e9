"""The mix of templates that resembles masks in the street."""

# Template -> how many of 100 photographs of people in masks show the like: surgical masks in white 17, blue
# or mint 15, black 11 and other colours 3; one-piece sponge masks 15, which plain dark cloth resembles most;
# other plain cloth 8; printed cloth 14; masks with a valve 6; respirators 8; gaiters 2.
STREET = {
    "surgical_white": 17.0,
    "surgical_blue": 7.0,
    "surgical_light_blue": 5.0,
    "surgical_green": 3.0,
    "surgical_black": 11.0,
    "surgical_grey": 1.0,
    "surgical_lilac": 1.0,
    "surgical_pink": 1.0,
    "cloth_black": 8.0,
    "cloth_grey": 7.0,
    "cloth_white": 3.0,
    "cloth_navy": 2.0,
    "cloth_beige": 2.0,
    "cloth_red": 1.0,
    "cloth_floral": 4.0,
    "cloth_checks": 3.0,
    "cloth_stripes": 3.0,
    "cloth_dots": 2.0,
    "cloth_camouflage": 2.0,
    "n95_valve": 6.0,
    "kn95_white": 3.0,
    "kn95_black": 1.0,
    "kn95_grey": 1.0,
    "n95_white": 1.0,
    "ffp2_white": 1.0,
    "ffp2_black": 1.0,
    "knit_black": 1.0,
    "knit_grey": 1.0,
}
