"""Hand-made files in the exact formats of the data sets, and a configuration for them."""

import gzip
import io
import tarfile
from pathlib import Path

import numpy as np
import yaml

RATINGS = [  # user, item, rating, time
    ("1", "a", 5, 10),
    ("1", "b", 2, 10),
    ("2", "a", 4, 20),
    ("1", "c", 4, 30),
    ("2", "b", 1, 40),
    ("2", "c", 5, 50),
    ("1", "d", 1, 60),
    ("3", "a", 5, 70),
    ("3", "b", 3, 70),
    ("1", "e", 5, 80),
    ("3", "c", 2, 90),
    ("4", "a", 5, 100),
    ("4", "f", 1, 100),
]


def ml100k(folder: Path, ratings=RATINGS) -> dict[str, Path]:
    """RecBole's atomic files of MovieLens-100K."""
    folder.mkdir(parents=True, exist_ok=True)
    users = sorted({user for user, *_ in ratings})
    items = sorted({item for _, item, *_ in ratings})
    lines = {
        "inter": ["user_id:token\titem_id:token\trating:float\ttimestamp:float"]
        + ["\t".join(map(str, row)) for row in ratings],
        "user": ["user_id:token\tage:token\tgender:token\toccupation:token\tzip_code:token"]
        + [f"{user}\t{20 + n}\t{'MF'[n % 2]}\twriter\t{n}5711" for n, user in enumerate(users)],
        "item": ["item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq"]
        + [f"{item}\tA film\t{1990 + n}\tDrama Sci-Fi" for n, item in enumerate(items)],
    }
    paths = {key: folder / f"ml-100k.{key}" for key in lines}
    for key, path in paths.items():
        path.write_text("\n".join(lines[key]) + "\n")
    return paths


def many_ratings(users: int = 60, seed: int = 0) -> list[tuple[str, str, int, int]]:
    """Users who come one after the other; the older like the items with an even number."""
    random = np.random.default_rng(seed)
    rows = []
    for user in range(users):
        for step in range(int(random.integers(8, 16))):
            item = int(random.integers(20))
            rating = 3 + int(random.integers(-1, 2)) + (1 if item % 2 == 0 else -1)
            rows.append((str(user), f"i{item}", rating, user * 20 + step + 300 * (step > 6)))
    return rows


KUAIRAND = {
    "log_standard_4_08_to_4_21_pure.csv": """\
user_id,video_id,date,hourmin,time_ms,is_click,is_like,is_follow,is_comment,is_forward,is_hate,\
long_view,play_time_ms,duration_ms,profile_stay_time,comment_stay_time,is_profile_enter,is_rand,tab
0,3784,20220411,400,1649620801301,1,0,0,0,0,0,1,151024,104400,0,0,0,0,1
1,3785,20220412,2300,1649620901301,0,0,0,0,0,0,0,0,104400,0,0,0,0,4
""",
    "log_standard_4_22_to_5_08_pure.csv": """\
user_id,video_id,date,hourmin,time_ms,is_click,is_like,is_follow,is_comment,is_forward,is_hate,\
long_view,play_time_ms,duration_ms,profile_stay_time,comment_stay_time,is_profile_enter,is_rand,tab
0,3785,20220423,0,1650643201301,1,1,1,0,0,0,0,5000,104400,0,0,0,0,1
""",
    "user_features_pure.csv": (
        "user_id,user_active_degree,is_lowactive_period,is_live_streamer,is_video_author,"
        "follow_user_num,follow_user_num_range,fans_user_num,fans_user_num_range,friend_user_num,"
        "friend_user_num_range,register_days,register_days_range,"
        + ",".join(f"onehot_feat{n}" for n in range(18))
        + "\n"
        + '0,full_active,0,0,1,5,"(0,10]",312,"[100,1k)",0,0,3624,730+,'
        + ",".join("1" * 18)
        + "\n"
    ),
    "video_features_basic_pure.csv": """\
video_id,author_id,video_type,upload_dt,upload_type,visible_status,video_duration,server_width,\
server_height,music_id,music_type,tag
3784,441,NORMAL,2020-07-08,ShortImport,1,17200.0,720,1280,989206467,4,"12,65"
3785,442,AD,2020-07-09,LongImport,1,,720,1280,1,9,
""",
}


def kuairand(folder: Path, files=KUAIRAND) -> dict[str, Path]:
    """The archive of KuaiRand-Pure, with the folders that it has."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "KuaiRand-Pure.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, text in {**files, "log_random_4_22_to_5_08_pure.csv": "unused"}.items():
            info = tarfile.TarInfo(f"KuaiRand-Pure/data/{name}")
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
    return {"archive": path}


PERSON = (
    "{age}, Private, 6, 36, Bachelors degree(BA AB BS), 0, Not in universe, {married}, Education, "
    "Professional specialty, White, All other, Female, Not in universe, Not in universe, "
    "Full-time schedules, 0, 0, 2500, Joint both under 65, Not in universe, Not in universe, "
    "Spouse of householder, Spouse of householder, 1032.38, ?, ?, ?, Not in universe under 1 year "
    "old, ?, 4, Not in universe, Mexico, Mexico, Mexico, Foreign born- Not a citizen of U S , 0, "
    "Not in universe, 2, 12, 95, {income}"
)


def person(age: int, married: bool, rich: bool) -> str:
    """A line of Census-Income."""
    status = "Married-civilian spouse present" if married else "Never married"
    return PERSON.format(age=age, married=status, income="50000+." if rich else "- 50000.")


def census(folder: Path, people: int = 8) -> dict[str, Path]:
    """Both files of Census-Income, packed, without a header."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {}
    for key, name in (("train", "data"), ("test", "test")):
        lines = [person(20 + n, n % 2 == 0, n % 4 < 2) for n in range(people)]
        paths[key] = folder / f"census-income.{name}.gz"
        paths[key].write_bytes(gzip.compress(("\n".join(lines) + "\n").encode()))
    return paths


def configuration(folder: Path, format: str, paths: dict[str, Path], **changes: object) -> Path:
    """A configuration with one data set, whose files lie where they are, and small networks."""
    files = {key: {"file": path.name, "path": str(path)} for key, path in paths.items()}
    content = {
        "output": str(folder / "results"),
        "data": str(folder / "data"),
        "threads": 1,
        "industrial": {
            "use": ["mine"],
            "seeds": [1, 2],
            "network": {"clusters": 4, "max_epochs": 2, "batch_size": 64, "user_width": 4},
            "datasets": {"mine": {"name": "Mine", "format": format, "files": files}},
            **changes,
        },
    }
    path = folder / "industrial.yaml"
    path.write_text(yaml.safe_dump(content))
    return path
