"""Files as operators and strangers write them: an export, a mapping and tables, and the same with something changed."""

import copy
from typing import Any

import yaml
from hypothesis import strategies as st

from tests.ops.files import HEADER, MAPPING

SECRET = "xanthippe@engines.invalid"
ROWS = f"""{HEADER},mail
1,Grace Hopper,mentee,9,,yes,{SECRET}
2,"Rao, Mina",mentee,7,Grace Hopper,yes,{SECRET}
3,Ada King,mentor,2,Mina Rao,yes,{SECRET}
4,Bea,mentor,3,Mina Rao,no,{SECRET}
"""
BY = MAPPING | {"columns": MAPPING["columns"] | {"email": "mail"}}
ODD = st.sampled_from(
    [
        *("", " ", "\x00", "\ufeff", "\ud800", "\u202e", '"', '""', "'", ",", ";", "\n", "\r", "=1+1", "a/b", ".."),
        *("%s", "{0}", "{name}", "{name:>99999999999}", "{name!x}", "{name.__class__}", "}", "9" * 400, "x" * 70_000),
        *("-1", "1e9", "NaN", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-02-30", "%", "%Q", "%Y"),
        *("mon-fri 09:00-17:00", "mon 25:00-26:00", "cloud:9999999999999999", ":", "::", "a:b:c", "yes", "no"),
        *("1", "2", "3", "Ada King", "Grace Hopper", "base64", "rot13", "utf-16", "utf-7", "idna", "undefined"),
        *("\u00e9", "\u0130"),
    ]
)
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ODD | st.text(max_size=8) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ODD | st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def dumped(tree: Any) -> bytes:
    return yaml.safe_dump(tree, allow_unicode=False).encode()


@st.composite
def torn(draw: st.DrawFn, whole: bytes) -> bytes:
    """Up to three places of a file are replaced by other bytes."""
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(whole)))
        end = draw(st.integers(start, min(len(whole), start + 30)))
        other = draw(st.binary(max_size=12) | ODD.map(lambda text: text.encode(errors="surrogatepass")))
        whole = whole[:start] + other + whole[end:]
    return whole


@st.composite
def changed(draw: st.DrawFn, tree: Any) -> Any:
    """Anything stands where something else stood, in up to three places."""
    tree = copy.deepcopy(tree)
    for _ in range(draw(st.integers(1, 3))):
        place = tree
        while True:
            names = sorted(place, key=str) if isinstance(place, dict) else list(range(len(place)))
            name = draw(st.sampled_from(names)) if names else None
            below = place[name] if names else None
            if isinstance(below, dict | list) and below and draw(st.integers(0, 2)):
                place = below
                continue
            if isinstance(place, dict) and (name is None or draw(st.booleans())):
                name = draw(ODD | st.just(name or "x"))
            if name is not None:
                place[name] = draw(ANY)
            break
    return tree


@st.composite
def tables(draw: st.DrawFn) -> str:
    """Rows of odd cells; ids are few, so that they double, and managers go round."""
    cell = ODD | st.text(max_size=6)
    row = st.tuples(st.sampled_from("1234") | cell, st.sampled_from(["Ada King", "Bea", "Grace Hopper"]) | cell)
    lines = draw(st.lists(st.tuples(row, st.lists(cell, min_size=5, max_size=5)), max_size=8))
    quoted = ([f'"{text}"' if "," in text else text for text in (*first, *rest)] for first, rest in lines)
    return "\n".join([f"{HEADER},mail", *(",".join(cells) for cells in quoted)])
