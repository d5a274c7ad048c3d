"""`make demo`: three hundred people are enrolled, paired, scheduled and told, for everybody to see."""

import json
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from deploy.local import demo_stage as stage
from deploy.local import people
from deploy.local.demo_facts import Follower
from deploy.local.demo_lag import Lags
from deploy.local.demo_meetings import Meetings, meetings
from deploy.local.demo_owed import Mailbox, missing
from deploy.local.demo_screen import Screen
from deploy.local.demo_summary import shown, summary, where_to_look
from deploy.local.processes import CHECKOUT, LOCAL, StackError, write_atomically

PROGRAM = "digital-sparring"
PEOPLE, SEED = 300, 7
PAIRS_THAT_MEET, PAIRS_TO_THE_END = 20, 3
QUIET = 3.0
SETTLED_WITHIN = 90.0
INTERRUPTED = 130


def run(*, keep: bool = False, root: Path = LOCAL, count: int = PEOPLE) -> None:
    """Play it, then stop everything unless `keep`; on Ctrl-C and on a failure stop it always. Raises StackError."""
    screen, root = Screen(Console(highlight=False)), root.resolve()
    played = False
    with stage.interruptible():
        try:
            _play(root, screen, keep, count)
            played = True
        except KeyboardInterrupt:
            screen.say("interrupted, stopping everything")
            raise SystemExit(INTERRUPTED) from None
        except StackError as error:
            raise StackError(str(error).splitlines()[0].rstrip(":")) from error
        except Exception as error:
            stage.log_file(root).write_text(traceback.format_exc())
            raise StackError(f"{type(error).__name__} in the demo; read {stage.log_file(root)}") from error
        finally:
            stage.finish_undisturbed()
            if not (played and keep):
                stage.tear_down(root, screen.say)


@dataclass(frozen=True, slots=True)
class Play:
    """One run on its stage."""

    root: Path
    values: Mapping[str, str]
    screen: Screen
    follower: Follower
    lags: Lags
    mailbox: Mailbox

    def enrol(self, count: int) -> None:
        file = self.root / "demo" / "people.csv"
        with file.open("w", encoding="utf-8", newline="") as text:
            people.write(text, count, SEED)
        self._type("program", "publish", str(CHECKOUT / "deploy/programs/demo.yaml"))
        self._type("enrol", str(file), "--program", PROGRAM, "--map", str(CHECKOUT / "deploy/mappings/demo.yaml"))

    def settle(self, step: str, after: str) -> None:
        """Until nothing has come for a while, `after` has been said, and all that had to follow has; or time is up."""
        self.screen.step = step
        limit, last = time.monotonic() + SETTLED_WITHIN, time.monotonic()
        while (now := time.monotonic()) < limit:
            if self.look():
                last = now
            elif now > last + QUIET and self.follower.facts[after] and self._is_whole():
                return
        if not self.follower.facts[after]:
            raise StackError(f"no {after} in {SETTLED_WITHIN:g} s; read {self.root / 'log' / 'matching.log'}")

    def look(self) -> bool:
        """Read on and show. Whether anything came."""
        came = self.follower.read()
        stage.must_run(self.root)
        mails, facts = self.mailbox.look(), self.follower.facts
        self.screen.show(facts.counts(), self.lags.look(self.follower.records), mails.count)
        return came

    def meet(self, asked: Meetings) -> None:
        """Some pairs meet once, a few to the end of their series."""
        self.screen.step = "meeting"
        pairs = sorted(self.follower.facts.by("pair-created", "pair_id"))[:PAIRS_THAT_MEET]
        for pair in pairs:
            asked.hold(pair)
            self.look()
        for pair in pairs[:PAIRS_TO_THE_END]:
            asked.hold_series(pair)
            self.look()

    def _is_whole(self) -> bool:
        return not any(missing(self.follower.facts, self.mailbox.look()))

    def _type(self, *words: str) -> None:
        said = stage.command(self.root, self.values, *words)
        self.screen.say(f"$ viceversa {' '.join(words[:2])}: {said}")


def _play(root: Path, screen: Screen, keep: bool, count: int) -> None:
    values = stage.set_up(root, screen.say)
    kafka, prefix, mails = values["VICEVERSA_KAFKA"], values["VICEVERSA_PREFIX"], Path(values["VICEVERSA_MAILS"])
    with Follower(kafka, prefix) as follower, meetings(values) as client:
        play, asked = Play(root, values, screen, follower, Lags(kafka, prefix), Mailbox(mails)), Meetings(client)
        play.enrol(count)
        with screen.living():
            play.settle("matching", after="pair-created")
            play.meet(asked)
            play.settle("telling", after="pair-ended")
    found = summary(kafka, prefix, mails, asked.asked_at, screen.elapsed)
    write_atomically(root / "demo.json", json.dumps(found.data(), indent=2) + "\n")
    screen.console.print(shown(found), where_to_look(root, values, keep))
    if not found.clean:
        raise StackError(f"{len(found.breaches)} breaches, {found.dead_letters} dead letters; read {root}/demo.json")
