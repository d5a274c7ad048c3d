"""Run scheduling: `python -m services.scheduling`."""

from libs.chassis.run import run
from services.scheduling.app import service
from services.scheduling.settings import Settings

if __name__ == "__main__":
    run(service, Settings())
