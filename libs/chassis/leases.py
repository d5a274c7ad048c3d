"""Leases in MongoDB, by the database's clock. A lease decides who tries; what is written is guarded elsewhere."""

from dataclasses import dataclass
from datetime import UTC, datetime

from libs.chassis.errors import Conflict
from libs.chassis.mongo import Database

LEASES = "leases"
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Lease:
    """One holder at a time of `name`."""

    database: Database
    name: str
    owner: str
    seconds: float

    async def acquire(self) -> bool:
        """Take or renew the lease; False while somebody else holds it."""
        mine = {"$eq": ["$owner", self.owner]}
        free = {"$lt": ["$until", "$$NOW"]}
        change = {"owner": self.owner, "until": {"$add": ["$$NOW", int(self.seconds * 1000)]}}
        takeable = {"_id": self.name, "$expr": {"$or": [mine, free]}}
        # MongoDB allows no $expr in an upsert, so the first lease of all needs a row to take
        blank = {"$setOnInsert": {"owner": "", "until": NEVER}}
        try:
            taken = await self.database.update(LEASES, takeable, [{"$set": change}], many=False)
            if not taken:
                await self.database.update(LEASES, {"_id": self.name}, blank, upsert=True, many=False)
                taken = await self.database.update(LEASES, takeable, [{"$set": change}], many=False)
        except Conflict:
            return False
        return taken > 0

    async def release(self) -> None:
        await self.database.update(LEASES, {"_id": self.name, "owner": self.owner}, {"$set": {"until": NEVER}})
