"""Run notifications: `python -m services.notifications`."""

from libs.chassis.run import run
from services.notifications.app import service
from services.notifications.settings import Settings

if __name__ == "__main__":
    run(service, Settings())
