"""Mutations of the transaction: guards, facts, dead letters, answers."""

from typing import Final

from tests.faults.mutations.mutation import Mutation
from tests.model.sabotage import Sabotage

_TRANSACTIONS, _UNIT, _OUTBOX, _MONGO, _INBOX = (
    f"libs/chassis/{name}.py" for name in ("transactions", "unit_of_work", "outbox", "mongo", "inbox")
)
_GUARDS = "tests/chassis/test_guards.py::"
_TESTS = "tests/chassis/test_transactions.py::"
_CHAIN = ("tests/chassis/test_outbox.py::test_a_chain_of_facts_keeps_its_order_whoever_says_its_links",)

OF_THE_TRANSACTION: Final = {
    "no-version-guard": Mutation(
        file=_UNIT,
        old='changed.append(({"_id": document.id, "version": document.version}, row))',
        new='changed.append(({"_id": document.id}, row))',
        breaks="a document is replaced only in the version that was decided on",
        caught_by=(f"{_GUARDS}test_a_document_is_replaced_only_in_the_version_that_was_read",),
        model=Sabotage.NO_VERSION_GUARD,
        quick=True,
    ),
    "matched-count-ignored": Mutation(
        file=_MONGO,
        old="        if matched != len(rows):\n",
        new="        if matched > len(rows):\n",
        breaks="a guard that matches nothing is a conflict, not a write that silently did not happen",
        caught_by=(f"{_TESTS}test_a_guard_that_matches_nothing_is_a_conflict_and_writes_nothing",),
        model=Sabotage.MATCHED_IGNORED,
        quick=True,
    ),
    "no-increment": Mutation(
        file=_UNIT,
        old="            self._decided.update(state.decided)\n",
        new="            self._decided.update(pair for pair in state.decided.items() if pair[0][1] == message.key)\n",
        breaks="two decisions of which each read what the other writes do not both stand",
        caught_by=(f"{_TESTS}test_two_decisions_that_each_read_what_the_other_writes_do_not_both_stand",),
        model=Sabotage.NO_INCREMENT,
        quick=True,
    ),
    "local-reads": Mutation(
        file=_MONGO,
        old='read_concern=ReadConcern("snapshot"), write_concern=MAJORITY',
        new='read_concern=ReadConcern("local"), write_concern=MAJORITY',
        breaks="all that a transaction reads is one moment of what the majority holds",
        caught_by=(f"{_GUARDS}test_all_that_a_batch_reads_and_writes_is_in_one_transaction_that_a_majority_holds",),
        quick=True,
    ),
    "swallowed": Mutation(
        file=_TRANSACTIONS,
        old="                await asyncio.sleep(_pause(error, tries))\n",
        new="                return\n",
        breaks="a transaction that failed is tried again until it stands",
        caught_by=(f"{_TESTS}test_two_writers_of_one_document_lose_no_update",),
        model=Sabotage.SWALLOWED,
        quick=True,
    ),
    "letter-outside": Mutation(
        file=_TRANSACTIONS,
        old="            effects.work.add(letter)\n",
        new='            asyncio.ensure_future(self.database.update("dead_letters", {"_id": letter.id}, '
        '{"$set": {"reason": letter.reason}}, upsert=True))\n',
        breaks="a record is parked in the transaction that marks it as handled, or not at all",
        caught_by=(f"{_GUARDS}test_all_that_a_batch_reads_and_writes_is_in_one_transaction_that_a_majority_holds",),
        model=Sabotage.LETTER_OUTSIDE,
        quick=True,
    ),
    "half-made-changes-stay": Mutation(
        file=_TRANSACTIONS,
        old="                effects.work.undo()\n",
        new="",
        breaks="a handler that raised has changed nothing",
        caught_by=("tests/chassis/test_parking.py::test_many_that_fail_cost_one_replay_and_leave_nothing_half_made",),
        quick=True,
    ),
    "answer-before-the-transaction": Mutation(
        file=_TRANSACTIONS,
        old="            effects.answers.append((item, answer or Answer({}, 204)))\n",
        new="            item.answer.set_result(answer or Answer({}, 204))\n",
        breaks="a caller hears only of what took effect",
        caught_by=(f"{_GUARDS}test_a_caller_hears_nothing_before_the_transaction_stands",),
        quick=True,
    ),
    "answer-not-kept": Mutation(
        file=_INBOX,
        old="        if answer:\n            row[",
        new="        if answer and answer.status > 499:\n            row[",
        breaks="a command that comes again gets the answer of its one effect",
        caught_by=(
            "tests/chassis/test_commands.py::test_a_repeated_key_gets_the_first_answer_and_has_no_second_effect",
        ),
        quick=True,
    ),
    "stale-reads-of-a-later-stage": Mutation(
        file="libs/chassis/state.py",
        old="return self._declared.keys().isdisjoint(documents.keys())",
        new="return True",
        breaks="what was loaded ahead is used only if no earlier message of the batch could have changed what to load",
        caught_by=(f"{_GUARDS}test_what_an_earlier_message_changed_decides_what_a_later_one_reads_at_its_first_try",),
        quick=True,
    ),
    "random-key": Mutation(
        file=_OUTBOX,
        old="record = _record(topic.name, envelope.subject.encode(), encode(",
        new="record = _record(topic.name, uuid4().hex.encode(), encode(",
        breaks="the facts of one subject have one key, hence one partition and one order",
        caught_by=_CHAIN,
        model=Sabotage.RANDOM_KEY,
        quick=True,
    ),
    "sequence-stands-still": Mutation(
        file=_UNIT,
        old="        document.said += 1\n",
        new="        document.said = 1\n",
        breaks="`ce_sequence` rises by one with each fact of a document",
        caught_by=_CHAIN,
        quick=True,
    ),
    "tick-stands-still": Mutation(
        file=_OUTBOX,
        old='return int(newest[0]["tick"]) + 1 if newest else 1',
        new="return 1",
        breaks="a page has a later tick than every page that its transaction saw",
        caught_by=_CHAIN,
        quick=True,
    ),
    "oversize-not-checked": Mutation(
        file=_OUTBOX,
        old="    if record.size > topic.max_bytes:\n",
        new="    if not record.size:\n",
        breaks="a fact that its topic can never take is parked, and does not stop the relay",
        caught_by=(
            "tests/chassis/test_parking.py::"
            "test_one_that_fails_is_parked_and_leaves_its_neighbours_and_their_order[Chatty-poison]",
        ),
        quick=True,
    ),
    "undo-reaches-back": Mutation(
        file="libs/chassis/unit_of_work.py",
        old="            self.remember()  # what the former",
        new="            pass  # what the former",
        breaks="what is undone is what the failed message did, and nothing that the one before it decided",
        caught_by=(
            "tests/chassis/test_parking.py::"
            "test_a_stored_document_that_cannot_be_read_parks_only_what_needs_it[order1]",
        ),
    ),
}
