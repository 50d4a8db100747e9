from layouts import LAYOUTS


def test_gender_is_the_persons_and_names_may_hold_commas(tree, read):
    files = {path: content for path, content in LAYOUTS["vggface2"].items() if content}
    root = tree(files, "train/n000002/0001_01.jpg", "test/n000001/0001_01.jpg", "test/n000009/0003_01.jpg")
    samples = read("vggface2", root)
    assert [(s.split, s.identity, s.attributes.get("gender"), bool(s.note)) for s in samples.values()] == [
        ("test", "n000001", "male", False),
        ("test", "n000009", None, True),
        ("train", "n000002", "female", False),
    ]


def test_the_published_folder_of_labels(tree, read):
    meta = {"meta/identity_meta.csv": LAYOUTS["vggface2"]["identity_meta.csv"].replace("\n", "\r\n")}
    (sample,) = read("vggface2", tree(meta, "train/n000002/0001_01.jpg")).values()
    assert sample.attributes == {"gender": "female"}
