"""An import-linter contract for the room table: the modules of a room import nothing but what the table names."""

import sys
from collections.abc import Iterable

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class Room(Contract):
    """`rooms`: modules, each with all below it. `except_rooms`: parts that have a rule of their own.
    `may_import`: modules, each with all below it; the standard library and the room itself are always allowed
    (ruff bans its clocks, chance and ids where they do not belong)."""

    type_name = "room"

    rooms = fields.ListField(subfield=fields.StringField())
    except_rooms = fields.ListField(subfield=fields.StringField(), required=False, default=[])
    may_import = fields.ListField(subfield=fields.StringField(), required=False, default=[])

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        broken = [
            f"{module} -> {imported}"
            for module in sorted(graph.modules)
            for room in self.rooms
            if _within(module, [room]) and not _within(module, self.except_rooms)
            for imported in sorted(graph.find_modules_directly_imported_by(module))
            if not _within(imported, [room, *self.may_import])
            and imported.partition(".")[0] not in sys.stdlib_module_names
        ]
        return ContractCheck(kept=not broken, metadata={"broken": broken})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for line in check.metadata["broken"]:
            output.print_error(f"{line}: the room table does not allow it")


def _within(module: str, rooms: Iterable[str]) -> bool:
    return any(module == room or module.startswith(room + ".") for room in rooms)
