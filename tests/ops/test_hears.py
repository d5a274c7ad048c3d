from importlib import import_module

import pytest

from libs.contracts.topics import TOPICS
from libs.ops.hears import HEARS


def test_the_table_names_topics_of_the_contracts_only():
    assert {topic for topics in HEARS.values() for topic in topics} <= TOPICS.keys()


@pytest.mark.parametrize("name", HEARS)
def test_the_table_says_what_each_service_says_about_itself(name):
    module = pytest.importorskip(f"services.{name}.app", reason="this service is not there yet")

    assert set(HEARS[name]) == {topic.name for topic in import_module(module.__name__).service.topics}
