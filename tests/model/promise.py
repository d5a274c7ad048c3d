"""What must be true: at every state, and in the end."""

from functools import cache

from tests.model.world import DUE, TOPICS, Document, Input, Intake, Rules, World


def broken(rules: Rules, state: World) -> str:
    """The promise that this state breaks, as a sentence; empty if it keeps them all."""
    return _doubled(state.base.documents) or _misread(state) or _lost_input(rules, state) or _lost_fact(state)


@cache
def _doubled(documents: tuple[Document, ...]) -> str:
    for _, said in documents:
        for source in TOPICS:
            names = [fact[:2] for fact in said if fact[0] == source]
            if len(set(names)) < len(names):
                return f"an effect came twice: {', '.join(said)}"
            if sorted(names) != names:
                return f"the effects of a key came out of order: {', '.join(said)}"
    if sum("+" in fact for _, said in documents for fact in said) > 1:
        return "both decisions won, although each saw that only one may"
    return ""


def _misread(state: World) -> str:
    """Committed readers see a beginning of what the documents said: nothing twice, nothing left out, in order."""
    for read, (_, said) in zip(state.log, state.base.documents, strict=True):
        if read != said[: len(read)]:
            return f"readers see {', '.join(read)}, and the document said {', '.join(said) or 'nothing'}"
    return ""


def _lost_input(rules: Rules, state: World) -> str:
    """Whoever believes that an input is settled finds its effect, unless somebody still works on it."""
    if state.held is not None:
        return ""
    held = {(worker.tape, worker.at) for worker in state.workers if worker.phase is not Intake.IDLE}
    for tape, inputs in enumerate(rules.tapes):
        for at, asked in enumerate(inputs):
            settled = state.offsets[tape] > at or asked.facts[0] in state.base.inbox
            if settled and (tape, at) not in held and not _said(asked, state):
                return f"{asked.facts[0]} is lost: it counts as settled and has no effect"
    if rules.due and not state.base.due and (-1, 0) not in held and not _said(DUE, state):
        return "the due work is lost: it is gone and has no effect"
    return ""


def _said(asked: Input, state: World) -> bool:
    name = asked.facts[0]
    return _has(name, state.base.documents[TOPICS[name[0]]].said)


@cache
def _has(name: str, said: tuple[str, ...]) -> bool:
    return any(fact.startswith(name) for fact in said)


def _lost_fact(state: World) -> str:
    """A fact that readers have not seen is in the outbox, or in Kafka's hands, or in a relay's."""
    if not state.relays or not (unread := _unread(state)):
        return ""
    hands = [state.base.pages, *(relay.sent for relay in state.relays), state.pending.sent if state.pending else ()]
    alive = {page.fact for pages in hands for page in pages}
    lost = (fact for fact in unread if fact not in alive)
    return next((f"the fact {fact} is lost: readers never saw it, and nobody has it" for fact in lost), "")


def _unread(state: World) -> list[str]:
    pairs = zip(state.log, state.base.documents, strict=True)
    return [fact for read, (_, said) in pairs for fact in said[len(read) :]]


def finished(rules: Rules, state: World) -> bool:
    """Every input settled, every fact read, nothing left to do."""
    if state.held or state.pending or state.base.due:
        return False
    if state.relays and (state.base.pages or _unread(state)):
        return False
    taken = all(at == len(tape) for at, tape in zip(state.offsets, rules.tapes, strict=True))
    return taken and all(_said(asked, state) for asked in rules.inputs())
