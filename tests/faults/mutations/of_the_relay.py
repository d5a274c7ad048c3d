"""Mutations of the relay: what Kafka and MongoDB must hear in which order."""

from typing import Final

from tests.faults.mutations.mutation import Mutation
from tests.model.sabotage import Sabotage

_RELAY, _MONGO = "libs/chassis/relay.py", "libs/chassis/mongo.py"
_TESTS = "tests/chassis/test_relay.py::"
_AFTER_A_FAILURE = f"{_TESTS}test_after_any_failure_the_producer_is_thrown_away_and_nothing_is_retried_or_aborted"
_BEFORE_ITS_SENDS = (f"{_AFTER_A_FAILURE}[send-before it was done]",)
_BEHIND_ITS_COMMIT = (f"{_AFTER_A_FAILURE}[commit-after it was done]",)
_READS = "tests/chassis/test_relay_reads.py::"
_HOW_IT_READS = (
    f"{_READS}test_the_outbox_is_read_in_a_snapshot_that_waits_for_the_majority_in_the_session_of_the_deletes",
)
_ON_THE_PRIMARY = (f"{_READS}test_the_outbox_is_read_on_the_primary_whatever_the_address_prefers",)
_PUBLISH = "                    await self._publish(producer, pages, self._committed + 1)\n"

OF_THE_RELAY: Final = {
    "delete-first": Mutation(
        file=_RELAY,
        old=_PUBLISH,
        new=f'                    await self._delete([page["_id"] for page in pages], session)\n{_PUBLISH}',
        breaks="a page is deleted only when Kafka has committed it",
        caught_by=_BEFORE_ITS_SENDS,
        model=Sabotage.DELETE_FIRST,
    ),
    "position-outside": Mutation(
        file=_RELAY,
        old="            await producer.send_offsets_to_transaction(",
        new="            await producer.commit_transaction()\n"
        "            await producer.begin_transaction()\n"
        "            await producer.send_offsets_to_transaction(",
        breaks="Kafka commits the records and the position that names their pages together",
        caught_by=_BEHIND_ITS_COMMIT,
        model=Sabotage.POSITION_OUTSIDE,
    ),
    "metadata-ignored": Mutation(
        file=_RELAY,
        old="await self._delete(position.pages, session)",
        new="await self._delete((), session)",
        breaks="a successor deletes the pages that Kafka says are published, before it reads any",
        caught_by=_BEHIND_ITS_COMMIT,
        model=Sabotage.METADATA_IGNORED,
    ),
    "missing-is-none": Mutation(
        file=_RELAY,
        old='raise Transient("Kafka gave no position; it is not known whether there is one")',
        new="return Position(0, ())",
        breaks="no answer about the position is not the answer that there is none",
        caught_by=(f"{_TESTS}test_a_missing_position_is_an_error_and_not_taken_for_none",),
        model=Sabotage.MISSING_IS_NONE,
    ),
    "position-first": Mutation(
        file=_RELAY,
        old="        async with self._started_producer() as producer, self.database.session() as session:\n"
        "            position = await self._position()\n",
        new="        position = await self._position()\n"
        "        async with self._started_producer() as producer, self.database.session() as session:\n",
        breaks="the position is read when no predecessor can commit any more",
        caught_by=(
            f"{_TESTS}test_the_position_is_read_after_the_producer_has_ended_what_its_predecessor_left_pending",
        ),
        model=Sabotage.POSITION_FIRST,
    ),
    "next-before-delete": Mutation(
        file=_RELAY,
        old='await self._delete([page["_id"] for page in pages], session)',
        new='asyncio.ensure_future(self._delete([page["_id"] for page in pages], session))',
        breaks="the position names the last batch only, so the pages of each are gone before the next is read",
        caught_by=(f"{_TESTS}test_pages_are_deleted_before_the_next_batch_is_read",),
        model=Sabotage.NEXT_BEFORE_DELETE,
    ),
    "delete-unheld": Mutation(
        file=_MONGO,
        old="name, codec_options=CODEC, write_concern=MAJORITY,",
        new="name, codec_options=CODEC, write_concern=WriteConcern(1),",
        breaks="a deleted page stays deleted through an election",
        caught_by=_HOW_IT_READS,
        model=Sabotage.DELETE_UNHELD,
    ),
    "by-id": Mutation(
        file=_RELAY,
        old='sort=[("tick", 1), ("part", 1), ("_id", 1)]',
        new='sort=[("_id", 1)]',
        breaks="pages are published in the order in which their transactions saw each other",
        caught_by=(
            f"{_TESTS}test_facts_are_published_once_and_their_pages_deleted",
            f"{_TESTS}test_a_hundred_pages_have_room_in_the_position",
        ),
        model=Sabotage.BY_ID,
    ),
    "plain-read": Mutation(
        file=_RELAY,
        old="            pages = await transaction.find(\n",
        new="            pages = await self.database.find(\n",
        breaks="the outbox is read in one moment: a cursor that moves on shows a page without the one before it",
        caught_by=_HOW_IT_READS,
        model=Sabotage.PLAIN_READ,
    ),
    "read-on-a-secondary": Mutation(
        file=_MONGO,
        old="write_concern=MAJORITY, read_preference=ReadPreference.PRIMARY\n        )\n        try:",
        new="write_concern=MAJORITY\n        )\n        try:",
        breaks="the outbox is read where its deletes are, whatever the address prefers",
        caught_by=_ON_THE_PRIMARY,
        model=Sabotage.STALE_READ,
    ),
    "lease-on-a-secondary": Mutation(
        file=_MONGO,
        old="write_concern=MAJORITY, read_preference=ReadPreference.PRIMARY\n        )\n\n",
        new="write_concern=MAJORITY\n        )\n\n",
        breaks="all other reads are of the primary too",
        caught_by=_ON_THE_PRIMARY,
    ),
    "not-awaited": Mutation(
        file=_RELAY,
        old="            await asyncio.gather(*sent)\n",
        new="",
        breaks="a batch is committed only when the broker has each of its records",
        caught_by=(f"{_TESTS}test_no_part_of_a_batch_is_published_when_one_of_its_sends_fails",),
        model=Sabotage.NOT_AWAITED,
    ),
    "retry-after-timeout": Mutation(
        file=_RELAY,
        old=_PUBLISH,
        new="                    try:\n"
        f"    {_PUBLISH}"
        "                    except Exception:\n"
        "                        await producer.abort_transaction()\n"
        "                        continue\n",
        breaks="after a commit of unknown outcome only a new producer learns what became of it",
        caught_by=_BEHIND_ITS_COMMIT,
        model=Sabotage.RETRY_AFTER_TIMEOUT,
    ),
    "own-transactional-id": Mutation(
        file=_RELAY,
        old="transactional_id=self.group,",
        new='transactional_id=f"{self.group}.{self.owner}",',
        breaks="a successor ends what its predecessor began, because both have the same transactional id",
        caught_by=("tests/chassis/test_guards.py::test_a_successor_ends_what_its_predecessor_may_still_commit",),
    ),
    "more-pages-than-names": Mutation(
        file=_RELAY,
        old="_PAGES_AT_ONCE = 100\n",
        new="_PAGES_AT_ONCE = 200\n",
        breaks="the names of a batch's pages fit into what Kafka keeps with an offset",
        caught_by=(f"{_TESTS}test_a_hundred_pages_have_room_in_the_position",),
    ),
    "unbounded-batch": Mutation(
        file=_RELAY,
        old="_BYTES_AT_ONCE = 8_000_000\n",
        new="_BYTES_AT_ONCE = 800_000_000\n",
        breaks="a batch of the relay is bounded in bytes",
        caught_by=(f"{_TESTS}test_a_batch_is_bounded_in_bytes",),
    ),
    "another-cluster-unnoticed": Mutation(
        file=_RELAY,
        old='if "cluster" in row and {',
        new='if "clusters" in row and {',
        breaks="pages that may be published on another cluster are not published on this one",
        caught_by=(f"{_TESTS}test_another_cluster_is_refused_until_the_outbox_is_empty",),
    ),
    "lease-not-kept": Mutation(
        file=_RELAY,
        old="keeping = asyncio.create_task(self._keep_lease())",
        new="keeping = asyncio.create_task(asyncio.sleep(3600))",
        breaks="a relay keeps its lease while a call to Kafka takes longer than that",
        caught_by=(f"{_TESTS}test_a_call_to_kafka_that_takes_longer_than_the_lease_does_not_cost_it",),
    ),
}
