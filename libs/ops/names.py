"""Names of people as HR systems write them, made comparable. Names are for finding managers, never for ids."""

import hashlib
import re
import unicodedata

SYNTHETIC = "mgr:"


def written(name: str) -> str:
    """A name as people say it: `King, Janet ` is `Janet King`."""
    last, comma, first = name.partition(",")
    return " ".join((f"{first.replace(',', ' ')} {last}" if comma else name).split())


def comparable(name: str) -> str:
    """One text for all spellings of a name: order, case, accents, dots and spaces do not count."""
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", written(name)).casefold()).casefold()
    letters = "".join(letter for letter in folded if not unicodedata.combining(letter))
    return " ".join(re.sub(r"[.,`'\u2018\u2019\u00b4]", "", letters).split())


def synthetic_id(source: str, name: str) -> str:
    """The id of a manager who is in no row. It is the same in every run and does not show the name."""
    return SYNTHETIC + hashlib.sha256(f"{source}\n{comparable(name)}".encode()).hexdigest()[:16]
