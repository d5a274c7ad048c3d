"""First pass: who is in the file and who manages whom. Keeps ids, names and links, never rows.

People who are left out of a programme, because they are away or gone, still stand between others in a chain.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from libs.ops.mapping import Mapping
from libs.ops.names import comparable, synthetic_id, written
from libs.ops.rows import Row

LONGEST_CHAIN = 100


@dataclass(frozen=True, slots=True)
class Entry:
    """A person of the file. `manager` is a comparable name or an id, as the mapping says; `` for none."""

    id: str
    line: int
    name: str
    manager: str
    manager_written: str
    counts: bool


class NoChain(Exception):
    """Why a person's manager chain cannot be known."""


@dataclass(slots=True)
class Directory:
    mapping: Mapping
    entries: dict[str, Entry] = field(default_factory=dict)
    _by_name: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    _foreign_ids: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    _absent: dict[str, str] = field(default_factory=dict)
    _met: dict[str, str] = field(default_factory=dict)

    def add(self, row: Row) -> None:
        """The first row of an id stands for it, unless a later one counts and the first does not."""
        entry = self._entry(row)
        known = self.entries.get(entry.id)
        if not entry.id or (known and (known.counts or not entry.counts)):
            return
        if known:
            self._by_name[known.name].remove(known.id)
        self.entries[entry.id] = entry
        self._by_name[entry.name].append(entry.id)
        self._note_foreign_id(entry, row)

    def stands(self, id: str, line: int) -> bool:
        """Whether that line is the one that stands for the id."""
        return self.entries[id].line == line

    def chain(self, id: str) -> tuple[str, ...]:
        """The ids of a person's managers, nearest first. Raises NoChain."""
        found: list[str] = []
        manager = self._manager(self.entries[id])
        while manager is not None:
            if manager == id or manager in found:
                raise NoChain(f"the manager chain comes round: {' > '.join((id, *found, manager))}")
            found.append(manager)
            if len(found) > LONGEST_CHAIN:
                raise NoChain(f"more than {LONGEST_CHAIN} managers above")
            manager = self._manager(self.entries[manager]) if manager in self.entries else None
        return tuple(found)

    def notes(self) -> Iterator[str]:
        """What an operator should know about the managers that were met so far."""
        for manager, id in sorted(self._absent.items()):
            yield f"manager {self._met[manager]} is in no row: stands as {id} at the top of the chain"
        for manager, name in sorted(self._met.items()):
            if len(ids := self._foreign_ids.get(manager, set())) > 1:
                yield f"manager {name} has {len(ids)} ids ({_listed(ids)}): taken for one person"

    def _entry(self, row: Row) -> Entry:
        columns, managers = self.mapping.columns, self.mapping.managers
        said = row.cells[managers.column] if managers else ""
        return Entry(
            id=row.cells[columns["participant_id"]],
            line=row.line,
            name=comparable(row.cells[columns["name"]]),
            manager=comparable(said) if managers and managers.by == "name" else said,
            manager_written=written(said),
            counts=counts(row, self.mapping),
        )

    def _note_foreign_id(self, entry: Entry, row: Row) -> None:
        managers = self.mapping.managers
        if managers and managers.id_column and entry.manager and (id := row.cells[managers.id_column]):
            self._foreign_ids[entry.manager].add(id)

    def _manager(self, entry: Entry) -> str | None:
        managers = self.mapping.managers
        if managers is None or (not entry.manager and managers.empty == "top"):
            return None
        if not entry.manager:
            raise NoChain(f"line {entry.line} names no manager")
        self._met.setdefault(entry.manager, entry.manager_written)
        id = entry.manager if managers.by == "id" else self._named(entry)
        if id == entry.id and managers.own_manager == "top":
            return None
        return id if id in self.entries else self._outside(entry, id)

    def _named(self, entry: Entry) -> str:
        managers = self.mapping.managers
        if managers and (known := managers.known_ids.get(entry.manager)):
            return known
        ids = self._by_name.get(entry.manager) or [synthetic_id(self.mapping.source, entry.manager)]
        if len(ids) > 1:
            lines = ", ".join(str(self.entries[id].line) for id in ids)
            raise NoChain(
                f"manager {entry.manager_written} could be any of {_listed(ids)} (lines {lines}): "
                "say which under `managers.known` in the mapping"
            )
        return ids[0]

    def _outside(self, entry: Entry, id: str) -> str:
        managers = self.mapping.managers
        if managers and managers.absent == "refuse":
            raise NoChain(f"manager {entry.manager_written} is in no row")
        ids = self._foreign_ids.get(entry.manager, set())
        if managers and managers.several_ids == "refuse" and len(ids) > 1:
            raise NoChain(f"manager {entry.manager_written} is in no row and has {len(ids)} ids ({_listed(ids)})")
        self._absent[entry.manager] = id
        return id


def counts(row: Row, mapping: Mapping) -> bool:
    """Whether a row fulfils the mapping's conditions."""
    return all(condition.holds(row.cells[condition.column]) for condition in mapping.where)


def _listed(ids: Iterable[str]) -> str:
    return ", ".join(sorted(ids))
