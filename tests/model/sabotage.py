"""What somebody could leave out of the protocol. Each of these must cost the promise, or the model proves nothing."""

from enum import StrEnum


class Sabotage(StrEnum):
    """One guard that is switched off, in the words of the step that lacks it.

    A snapshot finds the second writer of a document by itself, so a missing version guard costs nothing as long as
    documents are read in the transaction that writes them: that sabotage needs both, and so does a guard whose answer
    nobody reads. In the same way an inbox that is read outside doubles nothing, because its ids are unique; it loses,
    because nobody waits for a majority."""

    OFFSETS_FIRST = "offsets committed before the transaction"
    NO_INBOX = "no inbox"
    INBOX_OUTSIDE = "inbox read outside the transaction"
    NO_VERSION_GUARD = "documents read before the transaction, and no version guard"
    MATCHED_IGNORED = "documents read before the transaction, and a write that met no document passes"
    NO_INCREMENT = "no increment of what a decision read"
    DELETE_FIRST = "page deleted before the Kafka commit"
    POSITION_OUTSIDE = "position outside the Kafka transaction"
    METADATA_IGNORED = "recovery that ignores the metadata"
    MISSING_IS_NONE = "missing position taken as none"
    POSITION_FIRST = "position read before the producer's start"
    NEXT_BEFORE_DELETE = "next batch before the delete"
    DELETE_UNHELD = "delete without majority"
    BY_ID = "pages ordered by id instead of tick"
    PLAIN_READ = "plain read of the outbox"
    STALE_READ = "secondary read of the outbox"
    RANDOM_KEY = "records of one key in random partitions"
    NOT_AWAITED = "sends not awaited"
    RETRY_AFTER_TIMEOUT = "abort and retry after a time-out"
    LETTER_OUTSIDE = "dead letter outside the transaction"
    READERS_UNCOMMITTED = "readers uncommitted"
    SWALLOWED = "swallowed transaction error"
    NO_LEASE = "due work without lease"
