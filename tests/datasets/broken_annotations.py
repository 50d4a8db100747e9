"""Label files as they come back from spreadsheets, editors, broken downloads and careless scripts.

`CASES` says for each adapter what is done to its label file, and what must come of it: `SAME` labels as with
the whole file, `Note`: a row each, some of them without label and with such a reason, or `Refused`: exit code
2 and a message that names the place.
"""

from dataclasses import dataclass

from layouts import CELEBA_ATTRIBUTES, LAYOUTS

PICTURE = b"P5 1 1 255 \x80"
SAME = "the labels of the whole file"
LONG = "x" * 10_000_000


@dataclass(frozen=True)
class Note:
    """Rows for all; the reason of at least one matches."""

    pattern: str


@dataclass(frozen=True)
class Refused:
    """Exit code 2; the message matches."""

    pattern: str


def lines(*changed):
    return "\n".join(changed) + "\n"


def everywhere(text, nul_line):
    """What may befall any text file, as kind -> (content, what must come of it)."""
    return {
        "as published": (text, SAME),
        "crlf": (text.replace("\n", "\r\n"), SAME),
        "cr alone": (text.replace("\n", "\r"), SAME),
        "byte order mark": (text.encode("utf-8-sig"), SAME),
        "utf-16": (text.encode("utf-16"), SAME),
        "blank lines at the end": (text + "\n\n \n", SAME),
        "no end of line": (text.rstrip("\n"), SAME),
        "a NUL byte": (
            text[:-3] + "\0" + text[-3:],
            Refused(rf"line {nul_line}: expected text, got a NUL byte"),
        ),
        "an image": (
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(99),
            Refused("line 3: expected text, got a NUL"),
        ),
        "a folder": (None, Note("missing or empty|unlabelled")),
    }


FAIRFACE = "file,age,gender,race,service_test\ntrain/1.jpg,50-59,Male,White,True\n"
FAIRFACE_HEAD = FAIRFACE.partition("\n")[0]
ADIENCE = LAYOUTS["adience"]["fold_0_data.txt"]
ADIENCE_HEAD, ADIENCE_ROW = ADIENCE.splitlines()
TABLE = "path,gender,split,age\nfaces/1.jpg,Male,val,30\n"
FEMALE = "Ann_Lee_0001.jpg\n"
SCORES = "#\tperson\timagenum\tMale\nAnn Lee\t1\t-1.5\n"

# Adapter -> (the file that is damaged, kind -> (content, what must come of it)).
CASES = {
    "celeba": (
        "list_attr_celeba.txt",
        {
            **everywhere(CELEBA_ATTRIBUTES + "\n", 5),
            "wrong count": (CELEBA_ATTRIBUTES.replace("3\n", "202599\n", 1), SAME),
            "no count": (CELEBA_ATTRIBUTES.removeprefix("3\n"), SAME),
            "empty": ("", Note("missing or empty")),
            "header alone": ("0\n5_o_Clock_Shadow Male Young\n", Note("missing or empty")),
            "missing column": (
                CELEBA_ATTRIBUTES.replace("Male ", ""),
                Refused("line 2: expected a column 'Male'"),
            ),
            "row cut short": (
                CELEBA_ATTRIBUTES.replace("-1 -1  1", "-1"),
                Note("its row has 1 values where 3"),
            ),
            "row too long": (CELEBA_ATTRIBUTES.replace("-1 -1  1", "1 1 1 1"), Note("its row has 4 values")),
            "a cell that is no truth": (
                CELEBA_ATTRIBUTES.replace("-1 -1  1", "-1 yes 1"),
                Note("Male is 'yes'"),
            ),
            "row twice": (CELEBA_ATTRIBUTES + "\n000001.jpg -1 -1  1\n", SAME),
            "contradictory rows": (CELEBA_ATTRIBUTES + "\n000001.jpg -1 1  1\n", Note("contradictory rows")),
            "line of 10 MB": (CELEBA_ATTRIBUTES + "\n" + LONG + "\n", SAME),
            "row of 10 MB": (CELEBA_ATTRIBUTES + "\n9.jpg " + "1 " * 5_000_000, SAME),
        },
    ),
    "lfw": (
        "female_names.txt",
        {
            **everywhere(FEMALE, 1),
            "empty": ("", Note("has no row for it")),
            "row twice": (FEMALE * 2, SAME),
            "contradictory rows": (FEMALE + "Abdullah_al-Attiyah_0001.jpg\n", Note("contradictory rows")),
            "other words": ("nobody\n\t\nhere", Note("has no row for it")),
            "line of 10 MB": (FEMALE + LONG, SAME),
        },
    ),
    "lfw, scores": (
        "lfw_attributes.txt",
        {
            "as published": (SCORES, Note("has no row for it")),
            "crlf": (SCORES.replace("\n", "\r\n"), Note("has no row for it")),
            "missing column": (
                SCORES.replace("Male", "Female"),
                Refused("names the columns person, imagenum"),
            ),
            "empty": ("", Refused("expected a line that names the columns")),
            "a word for a number": (
                SCORES.replace("-1.5", "yes"),
                Refused("line 2: expected a person, a number"),
            ),
            "row cut short": (SCORES.replace("\t-1.5", ""), Refused("line 2: expected a person, a number")),
            "an endless number": (
                SCORES.replace("\t1\t", f"\t{'9' * 5000}\t"),
                Refused("line 2: expected a person"),
            ),
            "line of 10 MB": (SCORES + f"{LONG}\t1\t1", Note("has no row for it")),
        },
    ),
    "fairface": (
        "fairface_label_train.csv",
        {
            **everywhere(FAIRFACE, 2),
            "empty": ("", Refused("line 1: expected a column 'file'")),
            "header alone": (FAIRFACE_HEAD, Note("missing or empty")),
            "missing column": (
                FAIRFACE.replace("gender", "sex"),
                Refused("line 1: expected a column 'gender'"),
            ),
            "row cut short": (lines(FAIRFACE_HEAD, "train/1.jpg,50-59"), Note("missing or empty")),
            "row too long": (lines(FAIRFACE_HEAD, "train/1.jpg,50-59,Male,White,True,1,2"), Note("missing")),
            "a quote that is not closed": (FAIRFACE.replace("train/1", '"train/1'), Note("missing or empty")),
            "another separator": (FAIRFACE.replace(",", ";"), SAME),
            "a line that names the separator": ("sep=;\r\n" + FAIRFACE.replace(",", ";"), SAME),
            "age of a spreadsheet": (FAIRFACE.replace("50-59", "03-Sep"), SAME),
            "age of another spreadsheet": (
                FAIRFACE.replace("50-59", "Sept. 3"),
                SAME,
            ),
            "a strange gender": (FAIRFACE.replace("Male", "?"), Note(r"its gender in .* is \?")),
            "row twice": (FAIRFACE + "train/1.jpg,50-59,Male,White,True\n", SAME),
            "contradictory rows": (
                FAIRFACE + "train/1.jpg,50-59,Female,White,True\n",
                Note("listed twice with different gender"),
            ),
            "a path that leads out": (FAIRFACE.replace("train/1", "../1"), Refused("line 2: .* has a '..'")),
            "an absolute path": (
                FAIRFACE.replace("train/1", "/etc/1"),
                Refused("line 2: .* is an absolute path"),
            ),
            "another system's path": (
                FAIRFACE.replace("train/1", "C:\\1"),
                Refused("line 2: .* is an absolute"),
            ),
            "no path": (FAIRFACE.replace("train/1.jpg", ""), Refused("line 2: .* got an empty one")),
            "line of 10 MB": (FAIRFACE + LONG, Refused("line 3: field larger than field limit")),
        },
    ),
    "adience": (
        "fold_0_data.txt",
        {
            **everywhere(ADIENCE, 2),
            "empty": ("", Refused("line 1: expected a column 'user_id'")),
            "header alone": (ADIENCE_HEAD, Note("has no row for it")),
            "missing column": (
                ADIENCE.replace("gender", "sex"),
                Refused("line 1: expected a column 'gender'"),
            ),
            "row cut short": (lines(ADIENCE_HEAD, ADIENCE_ROW[:30]), Note("has no row for it")),
            "commas for tabs": (ADIENCE.replace("\t", ","), Refused("line 1: expected a column 'user_id'")),
            "age of a spreadsheet": (ADIENCE.replace("(25, 32)", "25-Feb"), SAME),
            "no age": (ADIENCE.replace("(25, 32)", "None"), SAME),
            "an endless age": (ADIENCE.replace("(25, 32)", "9" * 5000), SAME),
            "a strange gender": (ADIENCE.replace("\tf\t", "\tu\t"), Note("its gender in .* is u")),
            "row twice": (lines(ADIENCE_HEAD, ADIENCE_ROW, ADIENCE_ROW), SAME),
            "contradictory rows": (
                lines(ADIENCE_HEAD, ADIENCE_ROW, ADIENCE_ROW.replace("\tf\t", "\tm\t")),
                Note("listed twice with different gender"),
            ),
            "line of 10 MB": (ADIENCE + LONG, Refused("line 3: field larger than field limit")),
        },
    ),
    "table": (
        "table.csv",
        {
            **{kind: case for kind, case in everywhere(TABLE, 2).items() if kind != "a folder"},
            "a folder": (None, Refused("was not found")),
            "empty": ("", Refused("holds no image")),
            "header alone": ("path,gender\n", Refused("holds no image")),
            "missing column": (
                TABLE.replace("path", "photo"),
                Refused("line 2: expected one of the columns path"),
            ),
            "row cut short": (
                lines("path,gender", "faces/1.jpg"),
                Refused("line 2: expected 2 cells, got 1"),
            ),
            "row too long": (
                lines("path,gender", "faces/1.jpg,m,3"),
                Refused("line 2: expected 2 cells, got 3"),
            ),
            "age of a spreadsheet": (TABLE.replace("30", "03-Sep"), SAME),
            "a strange gender": (TABLE.replace("Male", "=1+1"), Note("its gender in the table is '=1\\+1'")),
            "a number for a gender": (
                TABLE.replace("Male", "1"),
                Refused("line 2: the gender 1 can mean either"),
            ),
            "a strange split": (TABLE.replace("val", "holdout"), Refused("line 2: expected the split train")),
            "row twice": (TABLE + "faces/1.jpg,Male,val,30\n", SAME),
            "contradictory rows": (
                TABLE + "faces/1.jpg,f,val,30\n",
                Note("listed twice with different gender"),
            ),
            "a path that leads out": (TABLE.replace("faces/", "../"), Refused("line 2: .* has a '..'")),
            "an absolute path": (TABLE.replace("faces/", "/etc/"), Refused("line 2: .* is an absolute path")),
            "an image that is not there": (TABLE + "faces/2.jpg,f,val,1\n", Note("file not found")),
            "a folder for an image": (TABLE + "faces,f,val,1\n", Note("a folder")),
            "a name of 300 bytes": (TABLE + f"{'n' * 300},f,val,1\n", Note("File name too long")),
            "line of 10 MB": (TABLE + LONG, Refused("line 3: field larger than field limit")),
        },
    ),
    "table, json lines": (
        "table.jsonl",
        {
            "as published": ('{"path": "faces/1.jpg", "gender": "m"}', SAME),
            "crlf and a mark": ('\ufeff{"path": "faces/1.jpg", "gender": "m"}\r\n\r\n', SAME),
            "cut short": ('{"path": "faces/1.jpg", "gen', Refused("line 1: expected a JSON object")),
            "no object": ("[1]", Refused("row 1: expected a JSON object, got a int")),
            "NaN": ('{"path": "faces/1.jpg", "age": NaN}', Refused("line 1: expected a JSON object: NaN")),
            "deep": ('{"path": ' + "[" * 100_000, Refused("line 1: expected a JSON object")),
            "deep and whole": (
                '{"path": "faces/1.jpg", "gender": "m", "x": ' + "[" * 900 + "]" * 900 + "}",
                SAME,
            ),
            "an endless number": (
                '{"path": "faces/1.jpg", "x": ' + "9" * 9999 + "}",
                Refused("line 1: expected"),
            ),
            "a path that is a list": (
                '{"path": ["../x"], "gender": "m"}',
                Refused("line 1: .* a text or number, got a list"),
            ),
            "half a character": (
                '{"path": "faces/1.jpg", "x": "\\ud800"}',
                Refused("line 1: expected values"),
            ),
            "line of 10 MB": ('{"path": "faces/1.jpg", "gender": "m", "x": "' + LONG + '"}', SAME),
        },
    ),
    # Its labels are in the names.
    "utkface": (
        None,
        {
            name: (None, what)
            for name, what in {
                "26_1_0_20170116171048641.jpg": SAME,
                "26_1_20170116171048641.jpg": Note("three fields instead of four"),
                "26_7_0_20170116171048641.jpg": Note("no valid gender"),
                "26_1_9_20170116171048641.jpg": SAME,
                "1260_1_0_20170116171048641.jpg": Note("not AGE_GENDER_RACE_DATE"),
                "-1_1_0_20170116171048641.jpg": Note("not AGE_GENDER_RACE_DATE"),
                "٢٦_١_٠_20170116171048641.jpg": Note("no valid gender|not AGE"),
                "26_1_0_Jan-17.jpg": Note("not AGE_GENDER_RACE_DATE"),
                "_.jpg": Note("not AGE_GENDER_RACE_DATE"),
            }.items()
        },
    ),
}
