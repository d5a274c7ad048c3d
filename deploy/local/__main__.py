"""`python -m deploy.local up|down|stack|status|demo`: everything on this machine, for work, tests and the demo."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Annotated

try:
    import typer
    from rich.console import Console

    from deploy.local import parts, stack
    from deploy.local.processes import LOCAL, StackError
except ModuleNotFoundError as error:
    sys.exit(f"{error.name} is not installed here: pip install --editable '.[local,ops]', or use make, which does it")
except KeyboardInterrupt:
    sys.exit(130)

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
console = Console(stderr=True, highlight=False)


@app.command()
def up() -> None:
    """Start servers, mail and services in the background; return when all are ready."""
    with _one_line():
        values = parts.up(report=console.print)
    _show(values)


@app.command()
def down() -> None:
    """Stop all of it. Data, mails and logs stay below .local/."""
    with _one_line():
        stopped = parts.down()
    console.print(f"stopped: {', '.join(stopped) or 'nothing was running'}")


@app.command("stack")
def servers() -> None:
    """Start Kafka and MongoDB only."""
    with _one_line():
        values = parts.start_servers()
    _show(values)


@app.command()
def status() -> None:
    """Say what runs. Exit code 1 unless all of it does."""
    alive = stack.alive(LOCAL) | {process.name: process.pid() is not None for process in parts.processes(LOCAL)}
    for name, runs in alive.items():
        typer.echo(f"{name:<16}{'running' if runs else 'stopped'}")
    raise typer.Exit(0 if all(alive.values()) else 1)


@app.command()
def demo(keep: Annotated[bool, typer.Option("--keep", help="Leave everything running at the end.")] = False) -> None:
    """The whole journey, live in this terminal."""
    with _one_line():
        import_module("deploy.local.demo").run(keep=keep)


def _show(values: dict[str, str]) -> None:
    for name, value in values.items():
        if name != "VICEVERSA_API_TOKEN":
            typer.echo(f"{name}={value}")


@contextmanager
def _one_line() -> Iterator[None]:
    try:
        yield
    except StackError as error:
        console.print(str(error), style="red", markup=False)
        raise typer.Exit(1) from error


if __name__ == "__main__":
    app()
