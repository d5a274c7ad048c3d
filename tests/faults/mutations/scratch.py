"""A copy of the checkout in which the product is spoiled."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from deploy.local.processes import CHECKOUT
from tests.faults.mutations.mutation import Mutation


class Outdated(Exception):
    """The mutation's old text is not found exactly once: the product has changed, the list has not."""


@dataclass(frozen=True, slots=True)
class Scratch:
    """The root of a copy."""

    root: Path

    @contextmanager
    def spoiled(self, mutation: Mutation) -> Iterator[None]:
        """The mutation is in the copy for the length of the block."""
        file = self.root / mutation.file
        sound = file.read_text()
        file.write_text(spoil(mutation, sound))
        try:
            yield
        finally:
            file.write_text(sound)


def spoil(mutation: Mutation, sound: str) -> str:
    if (found := sound.count(mutation.old)) != 1:
        raise Outdated(f"{mutation.file} holds {found} times: {mutation.old.strip()}")
    return sound.replace(mutation.old, mutation.new)


@contextmanager
def copied(checkout: Path = CHECKOUT) -> Iterator[Scratch]:
    """What git would commit, as it is now."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=checkout,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    with TemporaryDirectory(prefix="viceversa-mutations-") as folder:
        root = Path(folder).resolve()
        for name in filter(None, listed.split("\0")):
            if (checkout / name).is_file():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(checkout / name, root / name)
        yield Scratch(root)
