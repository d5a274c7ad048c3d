"""Run matching: `python -m services.matching`."""

from libs.chassis.run import run
from services.matching.app import service
from services.matching.settings import Settings

if __name__ == "__main__":
    run(service, Settings())
