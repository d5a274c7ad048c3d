"""All faults to be planted. A new check adds its plants to one of these lists."""

from tests.faults.checker import plants_of_facts, plants_of_leftovers, plants_of_meaning

PLANTS = [*plants_of_facts.PLANTS, *plants_of_meaning.PLANTS, *plants_of_leftovers.PLANTS]
