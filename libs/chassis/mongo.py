"""MongoDB: the only module that knows the driver (Motor; docs/decisions name its successor)."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence, Set
from contextlib import asynccontextmanager, suppress
from datetime import date, datetime
from typing import Any

from bson.codec_options import CodecOptions, TypeRegistry
from bson.errors import BSONError
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorClientSession
from pymongo import IndexModel, InsertOne, ReadPreference, ReplaceOne, UpdateMany, WriteConcern
from pymongo.errors import (
    BulkWriteError,
    DocumentTooLarge,
    InvalidOperation,
    OperationFailure,
    PyMongoError,
)
from pymongo.read_concern import ReadConcern

from libs.chassis.clock import Clock
from libs.chassis.errors import Conflict, Transient, Unstorable

Row = dict[str, Any]
Indexes = Sequence[tuple[Sequence[str], Mapping[str, Any]]]

MAJORITY = WriteConcern("majority", wtimeout=10_000)
_DUPLICATE_KEY = 11000
# a field name that starts with $, BSONObjectTooLarge, key too large, validation failure, transaction too large: for the
# log, for the cache
_UNSTORABLE = {52, 10334, 17280, 121, 257, 388}


def _text(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


CODEC: CodecOptions[Row] = CodecOptions(tz_aware=True, type_registry=TypeRegistry(fallback_encoder=_text))


def sorted_failure(error: Exception) -> Exception:
    """The failure of the chassis's family that a driver's exception stands for."""
    if isinstance(error, BulkWriteError):
        codes = {entry.get("code") for entry in error.details.get("writeErrors", ())}
    else:
        codes = {error.code} if isinstance(error, OperationFailure) else set()
    if _DUPLICATE_KEY in codes:
        return Conflict("a document of this id was created by another transaction")
    if isinstance(error, PyMongoError) and error.has_error_label("TransientTransactionError"):
        return Conflict("write conflict") if codes == {112} else Transient(_told(error, codes))
    if codes & _UNSTORABLE or isinstance(error, BSONError | DocumentTooLarge | OverflowError):
        return Unstorable(f"{type(error).__name__}: the data can't be stored")
    if isinstance(error, PyMongoError) and not isinstance(error, InvalidOperation):
        return Transient(_told(error, codes))
    return error


def _told(error: PyMongoError, codes: Set[Any]) -> str:
    """What a server refused is told by its code, because the text may hold a document."""
    what = sorted(map(str, codes)) if isinstance(error, OperationFailure) else error
    return f"{type(error).__name__}: {what}"


class Transaction:
    """One transaction: snapshot reads on the primary, majority write concern. Its operations take turns, because a
    session serves one at a time."""

    def __init__(self, database: Any, session: AsyncIOMotorClientSession) -> None:
        self._database = database
        self._session = session
        self._turn = asyncio.Lock()

    async def find(
        self,
        collection: str,
        filter: Mapping[str, Any],
        *,
        fields: Iterable[str] | None = None,
        sort: Sequence[tuple[str, int]] = (),
        limit: int = 0,
    ) -> list[Row]:
        cursor = self._database[collection].find(
            filter, fields, sort=list(sort) or None, limit=limit, batch_size=100_000, session=self._session
        )
        async with self._turn:
            with _sorted():
                rows: list[Row] = await cursor.to_list(None)
        return rows

    async def insert(self, collection: str, rows: Sequence[Row]) -> None:
        await self._write(collection, [InsertOne(row) for row in rows])

    async def replace(self, collection: str, rows: Sequence[tuple[Row, Row]]) -> None:
        """Replace each (guard, row); a guard that matches nothing is silent in MongoDB, so the count is compared."""
        matched = await self._write(collection, [ReplaceOne(guard, row) for guard, row in rows])
        if matched != len(rows):
            raise Conflict(f"{len(rows) - matched} documents of {collection} were changed meanwhile")

    async def upsert(self, collection: str, rows: Sequence[Row]) -> None:
        await self._write(collection, [ReplaceOne({"_id": row["_id"]}, row, upsert=True) for row in rows])

    async def update(self, collection: str, filter: Mapping[str, Any], change: Mapping[str, Any]) -> None:
        await self._write(collection, [UpdateMany(filter, change)])

    async def delete(self, collection: str, filter: Mapping[str, Any]) -> int:
        async with self._turn:
            result = await self._database[collection].delete_many(filter, session=self._session)
        return int(result.deleted_count)

    async def _write(self, collection: str, operations: Sequence[Any]) -> int:
        async with self._turn:
            result = await self._database[collection].bulk_write(operations, session=self._session)
        return int(result.matched_count)


class Database:
    """A service's own database."""

    def __init__(self, url: str, name: str) -> None:
        self.url, self.name, self._clock = url, name, Clock()
        self._client: AsyncIOMotorClient[Row] = AsyncIOMotorClient(
            url, serverSelectionTimeoutMS=5_000, connectTimeoutMS=5_000, socketTimeoutMS=30_000, appname=name
        )
        # The primary is pinned: a secondary shows pages that are already deleted, whatever the URL prefers.
        self._database = self._client.get_database(
            name, codec_options=CODEC, write_concern=MAJORITY, read_preference=ReadPreference.PRIMARY
        )

    def close(self) -> None:
        self._client.close()

    def now(self) -> datetime:
        """The server's time, as far as `set_clock` has asked for it; it asks nobody."""
        return self._clock.now()

    async def set_clock(self) -> None:
        await self._clock.set(self._time)

    async def _time(self) -> datetime:
        with _sorted():
            time: datetime = (await self._database.command("hello", codec_options=CODEC))["localTime"]
        return time

    @asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncIOMotorClientSession]:
        """A causally consistent session: what it reads comes after what it wrote."""
        with _sorted():
            session = await self._client.start_session(causal_consistency=True)
        try:
            yield session
        finally:
            await session.end_session()

    @asynccontextmanager
    async def transaction(self, session: AsyncIOMotorClientSession | None = None) -> AsyncIterator[Transaction]:
        """Commits at the end of the block, with majority; an unknown outcome is Transient and means: replay."""
        if session is None:
            async with self.session() as own, self.transaction(own) as transaction:
                yield transaction
            return
        session.start_transaction(
            read_concern=ReadConcern("snapshot"), write_concern=MAJORITY, read_preference=ReadPreference.PRIMARY
        )
        try:
            with _sorted():
                yield Transaction(self._database, session)
                await self._commit(session)
        except BaseException:
            with suppress(PyMongoError):
                await session.abort_transaction()
            raise

    async def _commit(self, session: AsyncIOMotorClientSession) -> None:
        """A commit that never arrived leaves a transaction whose locks would stop its own replay for a minute."""
        try:
            await session.commit_transaction()
        except PyMongoError as error:
            if error.has_error_label("UnknownTransactionCommitResult"):
                with suppress(PyMongoError):
                    await self._database.command({"killSessions": [session.session_id]})
            raise

    async def find(
        self,
        collection: str,
        filter: Mapping[str, Any],
        *,
        fields: Iterable[str] | None = None,
        sort: Sequence[tuple[str, int]] = (),
        limit: int = 0,
    ) -> list[Row]:
        with _sorted():
            rows: list[Row] = (
                await self._database[collection]
                .find(filter, fields, sort=list(sort) or None, limit=limit)
                .to_list(None)
            )
        return rows

    async def chunks(
        self, collection: str, filter: Mapping[str, Any], *, size: int, fields: Iterable[str] | None = None
    ) -> AsyncIterator[list[Row]]:
        """Rows in no order, `size` at a time: more than memory should hold at once."""
        cursor = self._database[collection].find(filter, fields, batch_size=size)
        with _sorted():
            while rows := await cursor.to_list(size):
                yield rows

    async def insert(self, collection: str, rows: Sequence[Row]) -> None:
        """New rows outside a transaction, each by itself."""
        with _sorted():
            await self._database[collection].insert_many(rows, ordered=False)

    async def count(self, collection: str, filter: Mapping[str, Any] | None = None) -> int:
        with _sorted():
            return int(await self._database[collection].count_documents(filter or {}))

    async def update(
        self, collection: str, filter: Mapping[str, Any], change: Any, *, upsert: bool = False, many: bool = True
    ) -> int:
        """Update outside a transaction; the count of documents that matched or were created."""
        target = self._database[collection]
        with _sorted():
            result = await (target.update_many if many else target.update_one)(filter, change, upsert=upsert)
        return int(result.matched_count) + (1 if result.upserted_id is not None else 0)

    async def delete(
        self, collection: str, filter: Mapping[str, Any], *, session: AsyncIOMotorClientSession | None = None
    ) -> int:
        with _sorted():
            result = await self._database[collection].delete_many(filter, session=session)
        return int(result.deleted_count)

    async def create_indexes(self, collection: str, indexes: Indexes) -> None:
        """Create the collection and its indexes; both calls change nothing when run again."""
        with _sorted():
            if collection not in await self._database.list_collection_names(filter={"name": collection}):
                with suppress(PyMongoError):
                    await self._database.create_collection(collection)
            if indexes:
                await self._database[collection].create_indexes(
                    [IndexModel([(field, 1) for field in fields], **options) for fields, options in indexes]
                )


class _sorted:
    """Turns the driver's exceptions into the chassis's family."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Exception) and (failure := sorted_failure(error)) is not error:
            raise failure from error
