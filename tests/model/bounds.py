"""How much of the world each exploration has: what holds in all of them is the claim of the model."""

from dataclasses import replace

from tests.model.sabotage import Sabotage
from tests.model.world import Input, Kind, Rules

X1, X2, X3 = (Input(0, (f"x{number}",)) for number in (1, 2, 3))
Y1 = Input(1, ("y1",))
BOTH_X = Input(0, ("x1", "x2"))
X1_DECIDES, X2_DECIDES = (Input(0, (f"x{number}",), Kind.DECIDES) for number in (1, 2))
Y1_DECIDES, Y2_DECIDES = (Input(1, (f"y{number}",), Kind.DECIDES) for number in (1, 2))
P1 = Input(0, ("p1",), Kind.POISON)

DECISIONS = Rules(((X1, X2_DECIDES), (Y1, Y2_DECIDES)), relays=0, elections=1)
EVERYTHING_IN = Rules(((X1, X2_DECIDES), (P1, Y1_DECIDES)), due=True, relays=0, elections=1)
ONE_EACH = Rules(((X1,), (Y1,)))
ONE_EACH_ELECTION = Rules(((X1,), (Y1,)), elections=1)
PARTS = Rules(((BOTH_X, X3), (Y1,)))
WHOLE = Rules(((X1, X2), (Y1,)), elections=1)

SMALL = {
    "the way in: decisions, an election": DECISIONS,
    "in and out: one record for each key": ONE_EACH,
}
FULL = {
    "the way in: decisions, an election": DECISIONS,
    "the way in: a dead letter and due work as well": EVERYTHING_IN,
    "in and out: one record for each key, an election": ONE_EACH_ELECTION,
    "in and out: pages in two parts": PARTS,
    "in and out: two records for a key, one for the other, an election": WHOLE,
}

_ONE_X = Rules(((X1,),), relays=1)
_DECIDING = Rules(((X1_DECIDES,), (Y1_DECIDES,)), relays=0)
_SHOWN_BY = {
    Sabotage.OFFSETS_FIRST: _DECIDING,
    Sabotage.NO_INBOX: _DECIDING,
    Sabotage.INBOX_OUTSIDE: replace(_DECIDING, elections=1),
    Sabotage.NO_VERSION_GUARD: Rules(((), (Y1,)), due=True, relays=0),
    Sabotage.MATCHED_IGNORED: Rules(((), (Y1,)), due=True, relays=0),
    Sabotage.NO_INCREMENT: _DECIDING,
    Sabotage.DELETE_UNHELD: Rules(((X1,), (Y1,)), relays=1, elections=1),
    Sabotage.BY_ID: Rules(((X1, X2),), relays=1),
    Sabotage.RANDOM_KEY: Rules(((X1, X2),), relays=1),
    Sabotage.PLAIN_READ: Rules(((X1, X2), (Y1,)), relays=1),
    Sabotage.POSITION_FIRST: Rules(((X1,),)),
    Sabotage.NEXT_BEFORE_DELETE: Rules(((X1,), (Y1,)), relays=1),
    Sabotage.LETTER_OUTSIDE: Rules(((P1,),), relays=0),
    Sabotage.SWALLOWED: _DECIDING,
    Sabotage.NO_LEASE: Rules(((), ()), due=True, relays=0),
}


def shown_by(sabotage: Sabotage) -> Rules:
    """The smallest world in which this sabotage costs the promise."""
    return replace(_SHOWN_BY.get(sabotage, _ONE_X), off=sabotage)
