"""The invented shop: what it sells, where its customers live, what they are called."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Product:
    """One article of the invented catalogue."""

    product_id: str
    product_name: str
    category: str
    brand: str
    url: str
    price: float
    """In EUR."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where some customers live."""

    country: str
    timezone: str
    language: str
    cities: tuple[str, ...]
    share: float
    """0–1 of all customers; the places' shares add up to 1."""


PLACES = (
    Place(country="DE", timezone="Europe/Berlin", language="de", cities=("Berlin", "Hamburg", "Köln"), share=0.52),
    Place(country="AT", timezone="Europe/Vienna", language="de", cities=("Wien", "Graz", "Linz"), share=0.20),
    Place(country="FI", timezone="Europe/Helsinki", language="fi", cities=("Helsinki", "Turku", "Oulu"), share=0.09),
    Place(country="IE", timezone="Europe/Dublin", language="en", cities=("Dublin", "Cork", "Galway"), share=0.09),
    Place(country="FR", timezone="Europe/Paris", language="fr", cities=("Lyon", "Lille", "Nantes"), share=0.06),
    Place(country="PT", timezone="Atlantic/Azores", language="pt", cities=("Ponta Delgada", "Horta"), share=0.04),
)

FIRST_NAMES = (
    "Aino", "Anna", "Aoife", "Ben", "Björn", "Ciara", "Clara", "Conor", "Eero", "Elif", "Émile", "Emma", "Finn",
    "Françoise", "Greta", "Hanna", "Ida", "Inês", "Jan", "Jonas", "Jürgen", "Kaisa", "Lena", "Luca", "Maeve", "Marie",
    "Mikko", "Noah", "Nuno", "Paul", "Petra", "Rosa", "Seán", "Siiri", "Sofia", "Theo", "Tuuli", "Ulla", "Veera", "Zoë",
)  # fmt: skip

LAST_NAMES = (
    "Ahonen", "Bauer", "Byrne", "Costa", "Dubois", "Fischer", "Gruber", "Huber", "Järvinen", "Kelly", "Koch",
    "Korhonen", "Lambert", "Mäkinen", "Medeiros", "Moreau", "Müller", "Murphy", "Niemi", "O’Brien", "Pichler",
    "Richter", "Ryan", "Schäfer", "Schmidt", "Silva", "Steiner", "Virtanen", "Wagner", "Weber",
)  # fmt: skip

_LINES = {
    "shoes": ("Northway", 89.0, ("Trail Runner", "City Sneaker", "Winter Boot", "Court Shoe", "Sandal", "Loafer")),
    "jackets": ("Fjordline", 149.0, ("Rain Shell", "Down Jacket", "Fleece", "Wind Breaker", "Parka")),
    "shirts": ("Linden", 39.0, ("Oxford Shirt", "T-Shirt", "Polo", "Flannel Shirt", "Linen Shirt")),
    "bags": ("Hafen", 69.0, ("Day Pack", "Tote", "Belt Bag", "Duffel")),
    "accessories": ("Linden", 19.0, ("Wool Socks", "Cap", "Belt", "Scarf", "Gloves")),
}
_COLOURS = ("Moss", "Slate", "Sand")


def _catalogue() -> tuple[Product, ...]:
    return tuple(
        _product(f"{category[:2].upper()}{model:02}{colour}", f"{name} {_COLOURS[colour]}", category, model)
        for category, (_, _, names) in _LINES.items()
        for model, name in enumerate(names)
        for colour in range(len(_COLOURS))
    )


def _product(product_id: str, name: str, category: str, model: int) -> Product:
    brand, base, _ = _LINES[category]
    return Product(
        product_id=product_id,
        product_name=name,
        category=category,
        brand=brand,
        url=f"https://shop.example.com/p/{product_id}",
        price=round(base * (0.8 + 0.15 * model), 2),
    )


PRODUCTS = _catalogue()


def described(products: Iterable[int], *fields: str) -> dict[str, list[str]]:
    """Columns of an import file that describe the products at these places of PRODUCTS."""
    chosen = [PRODUCTS[index] for index in products]
    return {field: [getattr(product, field) for product in chosen] for field in fields}
