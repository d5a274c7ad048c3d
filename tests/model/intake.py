"""The way in, as intake.py, inbox.py, unit_of_work.py, due.py and transactions.py go it."""

from tests.model.sabotage import Sabotage
from tests.model.world import (
    LETTERS,
    Base,
    Document,
    Input,
    Intake,
    Kind,
    Move,
    Moves,
    Page,
    Rules,
    Worker,
    World,
    named,
    put,
    with_worker,
)

REPLICAS = ("replica A", "replica B")
_BLANK = Document(0, ())


def intake_moves(rules: Rules, state: World, who: int) -> Moves:
    """Everything that the transaction of one replica may do next."""
    phase = state.workers[who].phase
    if phase is Intake.IDLE:
        yield from _takes(rules, state, who)
        yield from _claims(state, who)
        return
    if phase is Intake.LOOKED:
        yield _begins(rules, state, who, state.workers[who])
    elif phase is Intake.CLAIMED:
        yield from _begins_due(rules, state, who)
    elif phase is Intake.READ:
        yield from _commits(rules, state, who)
    elif phase is Intake.LETTER:
        yield _writes_letter(rules, state, who)
    elif phase is Intake.SETTLED:
        yield _commits_offset(rules, state, who)
    yield f"{REPLICAS[who]} crashes and starts again", with_worker(state, who, Worker())


def _takes(rules: Rules, state: World, who: int) -> Moves:
    """Any record up to the committed offset may come (again): a rebalance, a crash, a repeating sender."""
    for tape, inputs in enumerate(rules.tapes):
        for at in range(min(state.offsets[tape] + 1, len(inputs))):
            worker, name = Worker(Intake.LOOKED, tape, at), inputs[at].facts[0]
            known = name in state.base.inbox and rules.off is not Sabotage.NO_INBOX
            if rules.off is Sabotage.OFFSETS_FIRST and at == state.offsets[tape]:
                state_then = state._replace(offsets=put(state.offsets, tape, at + 1))
                yield f"{REPLICAS[who]} commits the offset behind {name}", with_worker(state_then, who, worker)
            elif rules.off is Sabotage.INBOX_OUTSIDE:
                yield _looks(state, who, worker, name, known)
            elif not known:
                yield _begins(rules, state, who, worker)
            elif state.held is None and at == state.offsets[tape]:
                label = f"{REPLICAS[who]} finds {name} in the inbox, by a transaction that a majority acknowledges"
                yield label, with_worker(state, who, worker._replace(phase=Intake.SETTLED))


def _looks(state: World, who: int, worker: Worker, name: str, known: bool) -> Move:
    phase, found = (Intake.SETTLED, "finds") if known else (Intake.LOOKED, "does not find")
    label = f"{REPLICAS[who]} {found} {name} in the inbox, outside of a transaction"
    return label, with_worker(state, who, worker._replace(phase=phase))


def _begins(rules: Rules, state: World, who: int, worker: Worker) -> Move:
    """All reads see one moment: inbox, documents, and the highest tick."""
    tick = max((page.tick for page in state.base.pages), default=0) + 1
    asked = rules.input(worker)
    begun = worker._replace(phase=Intake.READ, seen=_read(asked, state.base.documents), tick=tick)
    name = asked.facts[0]
    return f"{REPLICAS[who]} begins its transaction for {name}; its snapshot gives tick {tick}", with_worker(
        state, who, begun
    )


def _read(asked: Input, documents: tuple[Document, ...]) -> tuple[Document, ...]:
    """Only what was asked for is remembered."""
    if asked.kind is Kind.DECIDES:
        return documents
    return tuple(document if key == asked.key else _BLANK for key, document in enumerate(documents))


def _claims(state: World, who: int) -> Moves:
    """A lease may run out at any time, so a second claim is always possible; it takes the first one's token away."""
    if not state.base.due or state.held is not None:
        return
    workers = tuple(other._replace(claim=False) for other in state.workers)
    claimed = put(workers, who, Worker(Intake.CLAIMED, claim=True))
    yield f"{REPLICAS[who]} claims the due work d1", state._replace(workers=claimed)


def _begins_due(rules: Rules, state: World, who: int) -> Moves:
    worker = state.workers[who]
    if rules.off is Sabotage.NO_LEASE or (worker.claim and state.base.due):
        yield _begins(rules, state, who, worker)


def _commits(rules: Rules, state: World, who: int) -> Moves:
    worker, name = state.workers[who], REPLICAS[who]
    if why := _conflict(rules, state.base, worker):
        swallowed = rules.off is Sabotage.SWALLOWED and worker.tape >= 0
        then = worker._replace(phase=Intake.SETTLED, seen=(), tick=0) if swallowed else Worker()
        sequel = "; it goes on as if nothing had happened" if swallowed else " and starts over"
        yield f"{name} meets a conflict ({why}){sequel}", with_worker(state, who, then)
        return
    base, pages = _applied(rules, state, worker)
    done = with_worker(state, who, _after(rules, worker))._replace(base=base)
    unheard = with_worker(state, who, Worker())._replace(base=base)
    said = f"{name} commits its transaction: {named(pages)}"
    if state.held is not None:
        yield f"{said}; no majority has it", unheard
        return
    yield said, done
    yield f"{said}; it does not hear the outcome and starts over", unheard
    if state.elections < rules.elections:
        yield f"{said}; the primary alone has it", unheard._replace(held=state.base)


def refused(rules: Rules, base: Base, worker: Worker) -> bool:
    """Whether the commit of this worker's transaction can only fail from now on."""
    return worker.phase is Intake.READ and rules.off is not Sabotage.SWALLOWED and bool(_conflict(rules, base, worker))


def _conflict(rules: Rules, base: Base, worker: Worker) -> str:
    """What MongoDB or a guard refuses: an id that is there, a document that moved, a lease that went."""
    asked = rules.input(worker)
    if worker.tape < 0:
        if rules.off is not Sabotage.NO_LEASE and not (base.due and worker.claim):
            return "the lease has gone"
    elif asked.facts[0] in base.inbox and rules.off is not Sabotage.NO_INBOX:
        return "the inbox has the id"
    if rules.off not in (Sabotage.NO_VERSION_GUARD, Sabotage.MATCHED_IGNORED):
        for key in _written(rules, asked):
            if base.documents[key] != worker.seen[key]:
                return "a document has another version"
    return ""


def _written(rules: Rules, asked: Input) -> tuple[int, ...]:
    """Letters are documents of their own, so no two writers of letters collide."""
    if asked.kind is Kind.POISON:
        return ()
    if asked.kind is Kind.DECIDES and rules.off is not Sabotage.NO_INCREMENT:
        return (asked.key, 1 - asked.key)
    return (asked.key,)


def _applied(rules: Rules, state: World, worker: Worker) -> tuple[Base, tuple[Page, ...]]:
    """The database with the transaction's writes, and the pages among them."""
    asked, base = rules.input(worker), state.base
    known = {asked.facts[0]} if worker.tape >= 0 else set()
    base = base._replace(inbox=base.inbox | known, due=base.due and worker.tape >= 0)
    if asked.kind is Kind.POISON:
        if rules.off is Sabotage.LETTER_OUTSIDE:
            return base, ()
        return _with_letter(base, asked, worker.tick, state.elections)
    facts = tuple(fact + _verdict(asked, worker.seen) + "'" * state.elections for fact in asked.facts)
    documents = base.documents
    for key in _written(rules, asked):
        if rules.off is Sabotage.MATCHED_IGNORED and base.documents[key] != worker.seen[key]:
            continue
        version, said = worker.seen[key]
        documents = put(documents, key, Document(version + 1, said + facts if key == asked.key else said))
    pages = tuple(Page(worker.tick, part, fact) for part, fact in enumerate(facts))
    return base._replace(documents=documents, pages=tuple(sorted((*base.pages, *pages)))), pages


def _verdict(asked: Input, seen: tuple[Document, ...]) -> str:
    """`+` for the one that wins: the one that sees no other winner."""
    if asked.kind is not Kind.DECIDES:
        return ""
    return "-" if any("+" in fact for fact in seen[1 - asked.key].said) else "+"


def _with_letter(base: Base, asked: Input, tick: int, elections: int) -> tuple[Base, tuple[Page, ...]]:
    fact = asked.facts[0] + "'" * elections
    version, said = base.documents[LETTERS]
    page = Page(tick, 0, fact)
    documents = put(base.documents, LETTERS, Document(version + 1, (*said, fact)))
    return base._replace(documents=documents, pages=tuple(sorted((*base.pages, page)))), (page,)


def _after(rules: Rules, worker: Worker) -> Worker:
    if worker.tape < 0:
        return Worker()
    letter = rules.off is Sabotage.LETTER_OUTSIDE and rules.input(worker).kind is Kind.POISON
    return Worker(Intake.LETTER if letter else Intake.SETTLED, worker.tape, worker.at, tick=worker.tick * letter)


def _writes_letter(rules: Rules, state: World, who: int) -> Move:
    worker = state.workers[who]
    base, pages = _with_letter(state.base, rules.input(worker), worker.tick, state.elections)
    then = with_worker(state, who, worker._replace(phase=Intake.SETTLED, tick=0))
    return f"{REPLICAS[who]} writes the dead letter: {named(pages)}", then._replace(base=base)


def _commits_offset(rules: Rules, state: World, who: int) -> Move:
    worker = state.workers[who]
    behind = max(state.offsets[worker.tape], worker.at + 1)
    then = with_worker(state, who, Worker())._replace(offsets=put(state.offsets, worker.tape, behind))
    return f"{REPLICAS[who]} commits the offset behind {rules.input(worker).facts[0]}", then
