"""Mutations of what happens before the transaction: intake, inbox, due work."""

from typing import Final

from tests.faults.mutations.mutation import Mutation
from tests.model.sabotage import Sabotage

_INTAKE, _INBOX, _DUE = (f"libs/chassis/{name}.py" for name in ("intake", "inbox", "due"))
_GUARDS = "tests/chassis/test_guards.py::"
_ONE_TRANSACTION = (f"{_GUARDS}test_all_that_a_batch_reads_and_writes_is_in_one_transaction_that_a_majority_holds",)
_COMMITTED_ONLY = (f"{_GUARDS}test_of_what_was_said_before_the_first_start_only_the_committed_is_heard_to_its_end",)
_ONCE = (
    "tests/chassis/test_transactions.py::test_the_same_id_takes_effect_once_in_a_batch_over_batches_and_over_processes",
)
_OFFSETS = ("tests/chassis/test_processes.py::test_offsets_are_committed_only_after_the_transaction",)

OF_THE_WAY_IN: Final = {
    "offsets-first": Mutation(
        file=_INTAKE,
        old="        self._open.add(done)\n",
        new="        self._open.add(done)\n        self._settled.update(offsets)\n",
        breaks="an offset says that its record took effect; committed before, a crash loses the record",
        caught_by=_OFFSETS,
        model=Sabotage.OFFSETS_FIRST,
    ),
    "offset-too-far": Mutation(
        file=_INTAKE,
        old="record.offset + 1 for record in records",
        new="record.offset + 2 for record in records",
        breaks="the offset names the next record; one more and a restart skips that one",
        caught_by=_COMMITTED_ONLY,
    ),
    "broken-consumer-goes-on": Mutation(
        file=_INTAKE,
        old="                self._broken = consumer\n",
        new="                pass\n",
        breaks="a consumer that has raised may have lost what it had in hand; a later commit would go beyond it",
        caught_by=(
            "tests/chassis/test_lost_brokers.py::"
            "test_records_that_are_lost_with_an_error_of_the_client_are_fetched_again",
        ),
    ),
    "readers-uncommitted": Mutation(
        file=_INTAKE,
        old='isolation_level="read_committed"',
        new='isolation_level="read_uncommitted"',
        breaks="what a transaction of Kafka took back was never said",
        caught_by=_COMMITTED_ONLY,
        model=Sabotage.READERS_UNCOMMITTED,
    ),
    "new-group-at-the-end": Mutation(
        file=_INTAKE,
        old='auto_offset_reset="earliest"',
        new='auto_offset_reset="latest"',
        breaks="a new service hears all that was said before its first start",
        caught_by=_COMMITTED_ONLY,
    ),
    "no-inbox": Mutation(
        file="libs/chassis/transactions.py",
        old="if rows := effects.inbox.certain(fresh, now):",
        new="if rows := effects.inbox.certain((), now):",
        breaks="a message that took effect is known by its id for ever, so that a repeat has none",
        caught_by=_ONCE,
        model=Sabotage.NO_INBOX,
        quick=True,
    ),
    "inbox-outside": Mutation(
        file=_INBOX,
        old="rows = await transaction.find(INBOX, {",
        new="rows = await Transaction(transaction._database, None).find(INBOX, {",
        breaks="who finds a repeat waits until the majority holds what it repeats; outside, an election takes it back",
        caught_by=_ONE_TRANSACTION,
        model=Sabotage.INBOX_OUTSIDE,
        quick=True,
    ),
    "other-body-taken-for-a-repeat": Mutation(
        file=_INBOX,
        old='return bool(self._seen[item.id]["digest"] == item.digest)',
        new="return True",
        breaks="an id that comes again with another body is parked, not silently dropped",
        caught_by=("tests/chassis/test_transactions.py::test_an_id_that_comes_again_with_another_body_is_parked_once",),
        quick=True,
    ),
    "no-lease": Mutation(
        file=_DUE,
        old=" if tokens.get(claim.work_id) == claim.token}",
        new="}",
        breaks="work counts only for the process that holds its lease when the transaction looks",
        caught_by=("tests/chassis/test_due.py::test_the_result_of_a_holder_whose_lease_was_retaken_is_dropped",),
        model=Sabotage.NO_LEASE,
        quick=True,
    ),
    "leased-work-is-free": Mutation(
        file=_DUE,
        old='free = {"$expr": {"$lt": ["$lease.until", "$$NOW"]}}',
        new="free = {}",
        breaks="a mail is begun under a lease, so that no second process sends it at the same time",
        caught_by=(f"{_GUARDS}test_what_one_process_prepares_no_other_begins",),
        quick=True,
    ),
    "early-work": Mutation(
        file=_DUE,
        old='due = {"due_at": {"$lte": self.clock()}, "kind"',
        new='due = {"kind"',
        breaks="work waits for its time",
        caught_by=("tests/chassis/test_due.py::test_work_waits_for_its_time",),
    ),
    "lease-by-the-clock-of-the-process": Mutation(
        file="libs/chassis/leases.py",
        old='free = {"$lt": ["$until", "$$NOW"]}',
        new='free = {"$lt": ["$until", datetime.now(UTC)]}',
        breaks="a process whose clock is ahead takes no lease that another still holds",
        caught_by=("tests/chassis/test_relay_reads.py::test_a_lease_runs_by_the_clock_of_the_database",),
        quick=True,
    ),
    "damage-takes-its-neighbours": Mutation(
        file=_INTAKE,
        old="1 if self._unopened.careful else self.batch_records",
        new="self.batch_records",
        breaks="what stands before a record that can't be opened is taken",
        caught_by=(
            "tests/chassis/test_lost_brokers.py::"
            "test_a_partition_with_a_record_that_cannot_be_opened_stands_still_alone_and_loses_nothing_before_it",
        ),
    ),
}
