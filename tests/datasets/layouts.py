"""A tiny copy of every dataset in its published layout, as ``{path: content}``; None stands for an image."""

import io

import numpy as np
from scipy.io import savemat

CELEBA_NAMES = ["5_o_Clock_Shadow", "Male", "Young"]
CELEBA_ATTRIBUTES = (
    "3\n5_o_Clock_Shadow Male Young \n000001.jpg -1 -1  1\n000002.jpg  1  1 -1\n000003.jpg -1 -1 -1"
)

ADIENCE_COLUMNS = (
    *("user_id", "original_image", "face_id", "age", "gender"),
    *("x", "y", "dx", "dy", "tilt_ang", "fiducial_yaw_angle", "fiducial_score"),
)
ADIENCE_HEADER = "\t".join(ADIENCE_COLUMNS) + "\n"


def adience_row(user: str, picture: str, face: int, age: str, gender: str, x: int = 10) -> str:
    return f"{user}\t{picture}\t{face}\t{age}\t{gender}\t{x}\t20\t30\t30\t-115\t30\t17\n"


def matlab(part: str, rows: list[dict]) -> bytes:
    """imdb.mat or wiki.mat: one struct, each field (1, n), the texts as cells."""

    def cells(values: list[str]) -> np.ndarray:
        column = np.empty((1, len(values)), object)
        column[0] = values
        return column

    fields = {
        name: np.array([[row[name] for row in rows]], float)
        for name in rows[0]
        if name not in ("full_path", "name")
    }
    fields |= {name: cells([row[name] for row in rows]) for name in ("full_path", "name")}
    file = io.BytesIO()
    savemat(file, {part: fields})
    return file.getvalue()


# Born on 2 January 1950 and on 1 August 1950.
JANUARY, AUGUST = 712_225, 712_436
WIKI_ROWS = [
    {"dob": JANUARY, "photo_taken": 2000, "full_path": "01/1_1950-01-02_2000.jpg", "gender": 1, "name": "A B"}
    | {"face_score": 3.5, "second_face_score": np.nan},
    {"dob": AUGUST, "photo_taken": 2000, "full_path": "02/2_1950-08-01_2000.jpg", "gender": 0, "name": "C D"}
    | {"face_score": -np.inf, "second_face_score": 1.5},
    {"dob": 0, "photo_taken": 2000, "full_path": "02/3_0_2000.jpg", "gender": np.nan, "name": "E F"}
    | {"face_score": 1.0, "second_face_score": np.nan},
]

LAYOUTS = {
    "celeba": {
        "img_align_celeba/000001.jpg": None,
        "img_align_celeba/000002.jpg": None,
        "list_attr_celeba.txt": CELEBA_ATTRIBUTES,
        "identity_CelebA.txt": "000001.jpg 2880\n000002.jpg 2937\n000003.jpg 2880\n",
        "list_eval_partition.txt": "000001.jpg 0\n000002.jpg 1\n000003.jpg 2\n",
    },
    "lfw": {
        "lfw/Ann_Lee/Ann_Lee_0001.jpg": None,
        "lfw/Abdullah_al-Attiyah/Abdullah_al-Attiyah_0001.jpg": None,
        "male_names.txt": "Abdullah_al-Attiyah_0001.jpg\nBob_Ray_0001.jpg\n\n",
        "female_names.txt": "Ann_Lee_0001.jpg\n",
        "peopleDevTrain.txt": "1\nAnn_Lee\t1\n",
        "peopleDevTest.txt": "1\nAbdullah_al-Attiyah\t1\n",
    },
    "adience": {
        "faces/306@N03/coarse_tilt_aligned_face.1.103_67_o.jpg": None,
        "faces/306@N03/landmarks.1.103_67_o.txt": "155,0\nx,y,dx,dy,x_c,y_c\n1,2,3,4,5,6\n",
        "fold_0_data.txt": ADIENCE_HEADER + adience_row("306@N03", "103_67_o.jpg", 1, "(25, 32)", "f"),
        "fold_3_data.txt": ADIENCE_HEADER + adience_row("401@N01", "9_o.jpg", 7, "(0, 2)", "m"),
    },
    "utkface": {
        "UTKFace/26_1_0_20170116171048641.jpg.chip.jpg": None,
        "UTKFace/39_1_20170116174525125.jpg.chip.jpg": None,
    },
    "fairface": {
        "train/1.jpg": None,
        "val/1.jpg": None,
        "fairface_label_train.csv": "file,age,gender,race,service_test\ntrain/1.jpg,50-59,Male,White,True\n",
        "fairface_label_val.csv": "file,age,gender,race,service_test\nval/1.jpg,3-9,Female,Black,False\n",
    },
    "imdb-wiki": {
        "wiki_crop/01/1_1950-01-02_2000.jpg": None,
        "wiki_crop/02/2_1950-08-01_2000.jpg": None,
        "wiki_crop/wiki.mat": matlab("wiki", WIKI_ROWS),
    },
    "widerface": {
        "WIDER_train/images/0--Parade/0_Parade_1.jpg": None,
        "WIDER_val/images/0--Parade/0_Parade_2.jpg": None,
        "WIDER_test/images/0--Parade/0_Parade_3.jpg": None,
        "wider_face_split/wider_face_train_bbx_gt.txt": (
            "0--Parade/0_Parade_1.jpg\n2\n449 330 122 149 0 0 0 0 0 0 \n1 2 3 4 0 0 0 1 0 0 \n"
        ),
        "wider_face_split/wider_face_val_bbx_gt.txt": "0--Parade/0_Parade_2.jpg\n0\n0 0 0 0 0 0 0 0 0 0 \n",
    },
    "vggface2": {
        "train/n000002/0001_01.jpg": None,
        "test/n000001/0001_01.jpg": None,
        "identity_meta.csv": (
            "Class_ID, Name, Sample_Num, Flag, Gender\n"
            'n000001, "14th_Dalai_Lama", 424, 0, m\nn000002, "Anne,_Princess_Royal", 315, 1, f,\n'
        ),
    },
    "gender-folders": {"Training/female/131422.jpg.jpg": None, "Validation/male/063840.jpg.jpg": None},
    "folder": {"holiday/beach/1.jpg": None, "2.png": None},
    "table": {
        "faces/1.jpg": None,
        "table.csv": "path,gender,split,age\nfaces/1.jpg,Male,val,30\nfaces/2.jpg,f,test,\n",
    },
}
