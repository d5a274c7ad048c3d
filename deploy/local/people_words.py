"""What the demo's people are called, where they work and what they know."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Office:
    """`weight` is its share of the company; the first language is everybody's there."""

    city: str
    zone: str
    languages: tuple[str, ...]
    names: str
    weight: int


def _each(names: str) -> tuple[str, ...]:
    return tuple(names.split())


OFFICES: Final = (
    Office("Zurich", "Europe/Zurich", ("de", "fr", "it"), "alpine", 30),
    Office("London", "Europe/London", ("en", "fr"), "british", 18),
    Office("Lagos", "Africa/Lagos", ("en", "yo", "ig"), "nigerian", 8),
    Office("Warsaw", "Europe/Warsaw", ("pl", "de"), "polish", 10),
    Office("Bengaluru", "Asia/Kolkata", ("en", "hi", "kn"), "indian", 14),
    Office("New York", "America/New_York", ("en", "es"), "american", 12),
    Office("Sao Paulo", "America/Sao_Paulo", ("pt", "es"), "brazilian", 5),
    Office("Tokyo", "Asia/Tokyo", ("ja",), "japanese", 3),
)

FIRST: Final = {
    "alpine": _each("Anna Luca Mia Noah Lea Jonas Sophie Matteo Nina Beat Urs Chiara Reto Céline Jürg Livia"),
    "british": _each("Olivia Harry Amelia George Priya Imogen Oliver Zara Callum Freya Hamza Niamh Rhys Eilidh"),
    "nigerian": _each("Adaeze Chinedu Ngozi Tunde Folake Emeka Amaka Segun Yetunde Ifeanyi Bisi Kelechi"),
    "polish": _each("Zofia Jakub Hanna Szymon Łucja Wojciech Małgorzata Paweł Agnieszka Tomasz Kinga Michał"),
    "indian": _each("Aarav Diya Vivaan Ananya Arjun Meera Kabir Isha Rohan Lakshmi Farhan Kavya Siddharth Nandini"),
    "american": _each("Emma Liam Ava Mateo Aaliyah Ethan Camila Jamal Madison Diego Grace Tyrone Wei Hannah"),
    "brazilian": _each("Larissa João Beatriz Thiago Camila Rafael Júlia Gustavo Inês Caio"),
    "japanese": _each("Haruto Yui Sota Hina Ren Aoi Kaito Sakura Daichi Mei"),
}

LAST: Final = {
    "alpine": _each("Müller Meier Keller Rossi Favre Brunner Zürcher Bernasconi Gerber Rochat Caduff Steiner"),
    "british": _each("Smith Patel Jones Hughes Campbell Khan O'Neill Evans Wright Okoro Fraser Begum"),
    "nigerian": _each("Okafor Adeyemi Eze Balogun Nwosu Ogunleye Obi Adebayo Okonkwo Danjuma"),
    "polish": _each("Nowak Kowalska Wiśniewski Wójcik Zieliński Szymańska Dąbrowski Kaczmarek Mazur Krawczyk"),
    "indian": _each("Sharma Iyer Reddy Gowda Khan Banerjee Nair Kulkarni Singh Rao Mehta Pillai"),
    "american": _each("Johnson Garcia Williams Nguyen Brown Martinez Davis Chen Washington Kim Cohen Lopez"),
    "brazilian": _each("Silva Santos Oliveira Souza Pereira Lima Carvalho Ribeiro"),
    "japanese": _each("Sato Suzuki Takahashi Tanaka Watanabe Ito Yamamoto Nakamura"),
}

UNITS: Final = ("Retail", "Wealth", "Operations", "Technology", "Insurance", "Corporate Centre", "Markets")
FUNCTIONS: Final = ("Engineering", "Finance", "Marketing", "People", "Legal", "Sales", "Product", "Risk")

# The most popular first
TAUGHT_BY_JUNIORS: Final = (
    "generative-ai",
    "social-media",
    "data-literacy",
    "digital-collaboration",
    "inclusive-language",
    "creator-economy",
    "cloud",
    "cyber-hygiene",
    "mobile-payments",
    "climate-tech",
    "gaming-culture",
    "open-source",
    "blockchain",
    "accessibility",
)
TAUGHT_BY_SENIORS: Final = (
    "leadership",
    "strategy",
    "negotiation",
    "stakeholder-management",
    "career-growth",
    "public-speaking",
    "finance-basics",
    "board-work",
    "crisis-management",
    "mergers",
)
